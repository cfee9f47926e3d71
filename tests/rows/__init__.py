"""What the RFCs ask of a CalDAV server, row by row. Knows nothing of Odoo.

A row is one request, or a few, and what has to come back. The rows are asked of the
calendars in memory (``tests_pure/test_dav_rows.py``) and of Odoo over HTTP
(``tests/test_caldav_rows.py``).

``program``     a calendar program, and what it is told
``finding``     discovery, properties, rights, principals
``writing``     PUT, GET, DELETE, MOVE, COPY
``calendars``   MKCALENDAR, MKCOL, PROPPATCH
``keeping``     texts that come back as they were sent
``moments``     time-range, expand
``asking``      filters, parts of the data, multiget, free-busy
``following``   sync-collection
``hostile``     what no program should send
"""

from . import asking, calendars, finding, following, hostile, keeping, moments, writing
from .row import ROWS
