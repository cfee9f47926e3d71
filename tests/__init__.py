from . import test_decision
from . import test_firing
from . import test_notice
from . import test_rule
from . import test_security
from . import test_tours
from . import test_wire
