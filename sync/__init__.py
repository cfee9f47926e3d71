"""In step with a CalDAV server elsewhere, in plain Python: what is asked of it, and what is
done about what it says.

Never imports odoo, and keeps nothing.

``plan``       what is to be done with an object, by what became of it on both sides
``transport``  requests with a name and a password, bounded in time, size and direction
``remote``     a calendar there: its changes, its texts, writing into it
``discover``   from an address to the calendars (RFC 6764, RFC 4791), step by step
``errors``     what a server refuses, as one word each
"""
