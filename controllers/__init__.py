from . import caldav, caldav_setup, feed, invitation, reminder
