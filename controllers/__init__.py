from . import feed, invitation
