"""Which addresses a server may give to its objects."""

from crm_automation.engine.addresses import read_address
from crm_automation.sync.remote import MAX_PATH, RemoteCalendar


def test_a_path_that_is_too_long():
    [address] = read_address("https://dav.example.com/work/")
    calendar = RemoteCalendar(None, address)
    assert calendar._is_member("/work/a.ics")
    longest = "/work/" + "a" * (MAX_PATH - len("/work/"))
    assert calendar._is_member(longest)
    assert not calendar._is_member(f"{longest}a")
