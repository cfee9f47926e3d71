from . import controllers, hooks, models, wizards
from .hooks import post_init_hook, uninstall_hook

hooks.check_urllib3()
