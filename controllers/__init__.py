from . import caldav, feed
