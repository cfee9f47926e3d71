"""What is read ahead is what is wanted next, and a failure there is nobody's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from crm_automation.sync.ahead import ReadAhead
from crm_automation.sync.errors import RemoteError


class Remote:
    """Texts in memory; notes what is asked for, and in which thread."""

    def __init__(self, texts, patient=False):
        self.all, self.asked, self.fails = texts, [], False
        self.transport, self.patient = self, patient
        self.pool = ThreadPoolExecutor(1)

    def texts(self, paths):
        self.asked.append((tuple(paths), threading.current_thread() is threading.main_thread()))
        if self.fails:
            raise RemoteError("server", host="there.example")
        return {path: self.all[path] for path in paths if path in self.all}

    def meanwhile(self, work):
        return None if self.patient else self.pool.submit(work)


TEXTS = {name: name.upper() for name in "abcd"}


def test_the_next_ones_are_read_meanwhile():
    remote = Remote(TEXTS)
    ahead = ReadAhead(remote)
    ahead.following = ["c", "d"]
    assert ahead.texts(["a", "b"]) == {"a": "A", "b": "B"}
    assert ahead.texts(["c", "d"]) == {"c": "C", "d": "D"}
    assert remote.asked == [(("a", "b"), True), (("c", "d"), False)]


def test_what_was_not_foreseen_is_asked_for():
    remote = Remote(TEXTS)
    ahead = ReadAhead(remote)
    ahead.following = ["b", "x"]
    ahead.texts(["a"])
    assert ahead.texts(["b", "c", "x"]) == {"b": "B", "c": "C"}
    assert remote.asked[-1] == (("c", "x"), True)
    assert len(remote.asked) == 3


def test_a_failure_ahead_is_met_when_it_is_wanted():
    remote = Remote(TEXTS)
    ahead = ReadAhead(remote)
    ahead.following = ["b"]
    assert ahead.texts(["a"]) == {"a": "A"}
    ahead._asked.result()
    remote.fails = True
    ahead.following = ["c"]
    assert ahead.texts(["b"]) == {"b": "B"}
    with pytest.raises(RemoteError):
        ahead.texts(["c"])


def test_one_after_the_other_where_a_server_bears_no_two():
    remote = Remote(TEXTS, patient=True)
    ahead = ReadAhead(remote)
    ahead.following = ["b"]
    ahead.texts(["a"])
    assert ahead.texts(["b"]) == {"b": "B"}
    assert all(is_main for _paths, is_main in remote.asked)
