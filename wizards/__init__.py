from . import crm_automation_recipe_use, crm_automation_take_over

# isort: split
from . import (
    crm_automation_take_over_action,
    crm_automation_take_over_plan,
    crm_automation_take_over_words,
)
