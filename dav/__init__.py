"""WebDAV and CalDAV in plain Python: what is asked, and how it is answered.

Never imports odoo. What is stored, and for whom, is behind one border: ``backend``.

``errors``       every refusal, and the table from refusals to HTTP statuses
``names``        names of XML elements
``reading``      XML that comes in: no entities, bounded
``writing``      XML that goes out: multistatus, piece by piece
``requests``     a request: path, Depth, conditions, preferences
``backend``      what the server asks of whoever stores calendars
``resources``    paths to resources: root, principal, home, calendar, object
``properties``   what resources say of themselves
``objects``      a calendar object as questions see it
``filters``      calendar-query: which objects match
``times``        time-range: when components are
``data``         calendar-data: all, some, expanded
``freebusy``     free-busy-query
``reports``      REPORT
``search``       REPORT about principals
``scheduling``   RFC 6638: what may be changed of a meeting, when others have time
``changes``      PROPPATCH, MKCALENDAR, MKCOL
``writes``       PUT, DELETE, COPY, MOVE
``attachments``  RFC 8607: files that go with an object
``server``       which method does what
"""
