"""Set-up and developer tools of crm_automation.

Standard library only: these modules run before anything is installed. What
needs more (the mail catcher, Odoo itself) runs as a process of the project's
virtual environment.
"""
