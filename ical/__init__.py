"""iCalendar in plain Python: one codec for import, export, feeds, CalDAV, invitations.

Never imports odoo. From the bytes up:

``lines``       splits a file into components without understanding them: UID,
                digest, line numbers (what an unchanged file needs, and no more)
``params``      one content line: name, parameters, value
``values``      value types: text, dates and times, durations, periods
``zones``       TZID to tzinfo, custom VTIMEZONE by its rules
``vtimezone``   tzinfo to VTIMEZONE
``items``       what a component means: Event, Todo, Journal, FreeBusy, Alarm
``properties``  the table from properties to the fields of the items
``readers``     how the value of each property is read, and what is forgiven
``writers``     how it is written
``vcal1``       vCalendar 1.0 turned into iCalendar 2.0
``parse``       bytes to items, with repairs and errors per item
``text``        items to text; what nobody changed stays as it was
``overlay``     what is one user's own, laid over the text that all share
``versions``    an object as the units that can be changed, each on its own
``merge``       what two sides have changed, unit by unit
``compose``     several calendars as one, without understanding them
``rules``       RRULE: what a rule says, and the times it gives
``recurrence``  RRULE and the fields of Odoo's recurrence
``replan``      which occurrence becomes which, when a series gets other times
``expand``      the occurrences of a series in a span of time, bounded
``alarms``      VALARM: when it goes off, and Odoo's reminders
``sequence``    SEQUENCE and DTSTAMP: what is newer
``itip``        the messages of RFC 5546: made of items, and read
``itip_state``  what a message means for what is there already
``itip_check``  a strict judge of messages
``scheduling``  what a calendar server says of the people of a meeting
``limits``      how much is read of a hostile file
``errors``      every exception, and the repairs that are recorded
"""
