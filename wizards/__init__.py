from . import crm_automation_recipe_use
