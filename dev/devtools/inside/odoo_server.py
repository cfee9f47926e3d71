"""Odoo's command line, as a script that Odoo itself can start again.

With workers, Odoo starts its websocket process by the path of its own script:
after ``python -m odoo`` that is a file of a package, which cannot be started so.
"""

import sys

# Odoo must not find the scripts beside this one.
del sys.path[0]

import odoo.cli  # noqa: E402

odoo.cli.main()
