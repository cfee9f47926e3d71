"""Whatever is sent, the server says yes or no: it never fails."""

from crm_automation.tests.rows.program import NAMES, event
from hypothesis import given
from hypothesis import strategies as st

from dav_memory import Client
from ical_fuzz import mangled

AGENDA = "/caldav/calendars/ana@x.es/agenda/"
_TAGS = (
    "D:propfind D:prop D:allprop D:propname D:include D:getetag D:set D:remove D:propertyupdate"
    " D:sync-collection D:sync-token D:sync-level D:limit D:nresults D:expand-property D:property"
    " D:href C:calendar-query C:calendar-multiget C:filter C:comp-filter C:prop-filter C:timezone"
    " C:param-filter C:text-match C:time-range C:is-not-defined C:calendar-data C:expand C:comp"
    " C:free-busy-query C:limit-recurrence-set C:mkcalendar D:mkcol D:resourcetype C:calendar"
    " D:principal-property-search D:property-search D:match C:calendar-timezone D:displayname"
    " C:supported-calendar-component-set A:calendar-order A:calendar-color D:acl"
).split()
_VALUES = (
    "VCALENDAR", "VEVENT", "VTODO", "VALARM", "SUMMARY", "20270101T000000Z", "20280101T000000Z",
    "yes", "no", "i;octet", "i;x", "1", "0", "-1", "", "UID", "DAV:", "resourcetype", "\u00f1",
    "data:,e-0", AGENDA + "one.ics", "http://[", "%ff",
)  # fmt: skip
_NAMES = ("name", "start", "end", "collation", "negate-condition", "namespace", "novalue")
_attributes = st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(_VALUES), max_size=3)


def _element(tag, attributes, inner):
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f"<{tag}{written}>{inner}</{tag}>"


_inner = st.recursive(
    st.sampled_from(_VALUES),
    lambda inner: st.lists(
        st.builds(_element, st.sampled_from(_TAGS), _attributes, inner), max_size=4
    ).map("".join),
    max_leaves=12,
)
_documents = st.builds(
    lambda tag, attributes, inner: _element(tag, attributes, inner).replace(
        f"<{tag}", f"<{tag} {NAMES}", 1
    ),
    st.sampled_from(_TAGS), _attributes, _inner,
)  # fmt: skip


def client_with_something():
    client = Client()
    client.put(AGENDA + "one.ics", event("one", "DTSTART:20270301T100000Z", "RRULE:FREQ=DAILY"))
    return client


@given(
    st.sampled_from(["PROPFIND", "PROPPATCH", "REPORT", "MKCALENDAR", "MKCOL"]),
    st.sampled_from(["", "agenda/", "agenda/one.ics", "new/"]),
    _documents, st.sampled_from(["0", "1", "", "infinity", "x"]),
)  # fmt: skip
def test_xml(method, path, body, depth):
    client = client_with_something()
    answer = client.ask(method, "/caldav/calendars/ana@x.es/" + path, body, depth=depth)
    assert answer.status < 500
    if answer.status == 207:
        assert answer.xml is not None


@given(st.binary(max_size=300))
def test_octets(body):
    client = client_with_something()
    for method in ("PROPFIND", "REPORT", "PROPPATCH", "PUT", "MKCALENDAR"):
        assert client.ask(method, AGENDA + "x.ics", body).status < 500


@given(st.integers(0, 1_000_000))
def test_calendars(number):
    data = mangled(1, number)
    client = Client()
    answer = client.put(AGENDA + "x.ics", data)
    assert answer.status in (201, 403, 413)
    span = '<C:time-range start="20270101T000000Z" end="20280101T000000Z"/>'
    expand = '<C:expand start="20270101T000000Z" end="20270201T000000Z"/>'
    expand = f"<C:calendar-data>{expand}</C:calendar-data>"
    for inner, props in ((span, "<D:getetag/>"), ("", expand)):
        query = client.query(f'<C:comp-filter name="VEVENT">{inner}</C:comp-filter>', props)
        assert query.status == 207
        assert query.xml is not None


@given(st.text(max_size=40), st.sampled_from(["if", "if-match", "if-none-match", "depth",
       "destination", "overwrite", "prefer", "content-type"]))  # fmt: skip
def test_headers(value, name):
    client = client_with_something()
    for method in ("GET", "PUT", "COPY", "MOVE", "PROPFIND", "DELETE"):
        assert client.ask(method, AGENDA + "one.ics", event(), **{name: value}).status < 500
