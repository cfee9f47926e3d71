from . import hooks, models

hooks.check_urllib3()
