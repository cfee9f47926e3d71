"""Logic of the rules in plain Python: no database, no odoo import."""
