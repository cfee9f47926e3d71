"""Texts that are wanted next, asked for while those of before are worked on."""


class ReadAhead:
    """Reads the texts of one calendar there, and those of the next step meanwhile.

    What is read ahead may be older by the time of one step. That is no more than what
    happens between the reading of a text and its writing in any case: what changes then is
    listed with another ETag.

    :param Remote remote: see there
    """

    def __init__(self, remote):
        self.remote = remote
        #: paths that are wanted next
        self.following = ()
        self._asked = None

    def texts(self, paths):
        """As :meth:`Remote.texts`."""
        found = self._arrived(paths)
        missing = [path for path in paths if path not in found]
        if missing:
            found.update(self.remote.texts(missing))
        if self.following:
            following, self.following = list(self.following), ()
            self._asked = self.remote.transport.meanwhile(lambda: self.remote.texts(following))
        return found

    def _arrived(self, paths):
        asked, self._asked = self._asked, None
        if asked is None:
            return {}
        try:
            texts = asked.result()
        except Exception:  # noqa: BLE001 - asked again by who wants it, who has to do with it
            return {}
        return {path: texts[path] for path in paths if path in texts}
