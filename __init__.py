from . import hooks
from . import models

hooks.check_urllib3()
