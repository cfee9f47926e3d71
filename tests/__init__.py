from . import (
    test_decision,
    test_firing,
    test_leave,
    test_merge,
    test_notice,
    test_requirements,
    test_rule,
    test_security,
    test_smuggling,
    test_task,
    test_tours,
    test_wire,
)
