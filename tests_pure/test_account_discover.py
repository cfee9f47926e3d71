"""From an e-mail address to servers: the records of a domain (RFC 2782, RFC 6764)."""

import sys
import types
from dataclasses import dataclass

import pytest
from crm_automation.sync.discover import resolve_srv, starts


@dataclass
class Record:
    """As dnspython has one: ``target`` is no text."""

    priority: int
    weight: int
    port: int
    target: object


class Name:
    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


class DNSException(Exception):
    """Of the library: there is no such name, nobody answers, ..."""


class Zone:
    """What there is in the domain name system; ``asked`` is what was looked up."""

    def __init__(self):
        self.records, self.asked = [], []

    def add(self, target, port=443, priority=0, weight=0):
        self.records.append(Record(priority, weight, port, Name(target)))

    def resolve(self, name, kind, lifetime):
        self.asked.append((name, kind, lifetime))
        if not self.records:
            raise DNSException
        return self.records


@pytest.fixture
def zone(monkeypatch):
    """A domain without records; the library is there."""
    found = Zone()
    library, errors, resolver = (
        types.ModuleType(name) for name in ("dns", "dns.exception", "dns.resolver")
    )
    errors.DNSException, resolver.resolve = DNSException, found.resolve
    library.exception, library.resolver = errors, resolver
    for module in (library, errors, resolver):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return found


def urls(domain="bodega.example"):
    return [address.url for address in starts(f"ana@{domain}", resolve_srv)]


def test_the_service_with_encryption_is_asked_for(zone):
    zone.add("dav.bodega.example.", 8443)
    assert resolve_srv("bodega.example") == [("dav.bodega.example", 8443)]
    [(name, kind, lifetime)] = zone.asked
    assert (name, kind) == ("_caldavs._tcp.bodega.example", "SRV")
    assert 0 < lifetime <= 10, "somebody waits at a button"


def test_the_lower_priority_before_the_higher_weight(zone):
    zone.add("spare.bodega.example.", priority=20, weight=900)
    zone.add("small.bodega.example.", priority=10, weight=5)
    zone.add("large.bodega.example.", priority=10, weight=60)
    hosts = [host for host, _port in resolve_srv("bodega.example")]
    assert hosts == ["large.bodega.example", "small.bodega.example", "spare.bodega.example"]


def test_then_the_domain_itself(zone):
    zone.add("dav.bodega.example.", 8443)
    zone.add("spare.bodega.example.", priority=1)
    assert urls() == [
        "https://dav.bodega.example:8443/", "https://spare.bodega.example/",
        "https://bodega.example/",
    ]  # fmt: skip


def test_no_more_than_somebody_waits_for(zone):
    for number in range(9):
        zone.add(f"dav{number}.bodega.example.", priority=number)
    hosts = [host for host, _port in resolve_srv("bodega.example")]
    assert hosts == [f"dav{number}.bodega.example" for number in range(3)]


def test_a_dot_says_that_there_is_none(zone):
    zone.add(".", 0)
    assert resolve_srv("bodega.example") == []
    assert urls() == ["https://bodega.example/"]


def test_a_domain_without_records(zone):
    assert resolve_srv("bodega.example") == []
    assert len(zone.asked) == 1


@pytest.mark.parametrize("name", ["dns", "dns.resolver"])
def test_without_the_library(zone, monkeypatch, name):
    zone.add("dav.bodega.example.")
    # As Python has it for a module that cannot be imported.
    monkeypatch.setitem(sys.modules, name, None)
    assert resolve_srv("bodega.example") == []
    assert urls() == ["https://bodega.example/"]


def test_only_an_e_mail_address_asks(zone):
    zone.add("dav.bodega.example.")
    for text in ("bodega.example", "https://bodega.example/", "https://ana@bodega.example/dav"):
        starts(text, resolve_srv)
    assert not zone.asked
