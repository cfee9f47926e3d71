"""Two users may have the same series from elsewhere: its UID is no longer unique."""


def migrate(cr, version):
    cr.execute("DROP INDEX IF EXISTS calendar_recurrence_ical_uid_unique")
