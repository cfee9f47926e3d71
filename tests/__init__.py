from . import (
    test_decision,
    test_firing,
    test_notice,
    test_rule,
    test_security,
    test_tours,
    test_wire,
)
