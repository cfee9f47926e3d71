"""Reading addresses: a real server that means no good, on the other side."""

import gzip
import logging
import socket
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.addresses import Allowed, FetchError, follow, is_public, is_usual, read_address
from engine.fetch import fetch
from web import certificate_for, serving

HERE = Allowed.listed("127.0.0.0/8")
CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def web():
    with serving() as server:
        yield server


def refused(url, **options):
    options.setdefault("allowed", HERE)
    with pytest.raises(FetchError) as caught:
        fetch(url, **options)
    assert "secret" not in repr(caught.value.facts)
    return caught.value


def test_what_comes_back(web):
    kind = "text/Calendar; charset=x"
    web.say("/a.ics", CALENDAR, ETag='"7"', Last_Modified="yesterday", Content_Type=kind)
    found = fetch(web.url("/a.ics"), allowed=HERE)
    assert (found.status, found.content, found.etag) == ("ok", CALENDAR, '"7"')
    assert (found.last_modified, found.media_type) == ("yesterday", "text/calendar")
    [(path, headers)] = web.asked
    assert path == "/a.ics"
    assert headers["User-Agent"] == "crm_automation"
    assert headers["Host"] == f"127.0.0.1:{web.port}"
    assert not {"Authorization", "Referer", "If-None-Match"} & headers.keys()


def test_unchanged(web):
    web.say("/", b"", 304, Content_Length=None)
    found = fetch(web.url(), etag='"7"', modified="yesterday", allowed=HERE)
    assert (found.status, found.content) == ("unchanged", b"")
    [(_path, headers)] = web.asked
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"7"', "yesterday")
    assert refused(web.url()).code == "status"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "denied"), (403, "denied"), (404, "missing"), (410, "missing"), (418, "status"),
     (429, "busy"), (500, "server"), (503, "busy"), (507, "server"), (204, "status")],
)  # fmt: skip
def test_other_answers(web, status, code):
    web.say("/secret", b"", status, Retry_After=90)
    error = refused(web.url("/secret"))
    assert (error.code, error.facts["status"], error.facts["retry_after"]) == (code, status, 90)


def test_nothing_of_the_inside_is_asked(web):
    web.say("/", CALENDAR)
    for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"):
        error = refused(web.url(host=host), allowed=Allowed())
        assert error.code in ("private", "unknown_host"), host
    assert not web.asked


def test_an_administrator_lets_a_host_through(web):
    web.say("/", CALENDAR)
    assert fetch(web.url(host="localhost"), allowed=Allowed.listed("localhost")).content == CALENDAR
    named = Allowed.listed(f"localhost:{web.port}")
    assert fetch(web.url(host="localhost"), allowed=named).content == CALENDAR
    assert refused(web.url(host="localhost"), allowed=Allowed.listed("localhost:1234")).code == (
        "private"
    )


def test_a_name_is_asked_once_and_gone_to(web, monkeypatch):
    """What a name stands for may be another thing a moment later."""
    web.say("/", CALENDAR)
    asked = []

    def answers(host, port, *_args, **_kwargs):
        asked.append(host)
        ip = "127.0.0.1" if len(asked) == 1 else "169.254.169.254"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    found = fetch(web.url(host="calendar.example"), allowed=HERE)
    assert (found.content, asked) == (CALENDAR, ["calendar.example"])
    assert web.asked[0][1]["Host"] == f"calendar.example:{web.port}"
    assert refused(web.url(host="calendar.example")).code == "private"


def test_of_several_addresses_only_those_that_may_be(web, monkeypatch):
    web.say("/", CALENDAR)
    ips = ["10.0.0.1", "127.0.0.1"]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda _host, port, **_kw: [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips
        ],
    )
    assert fetch(web.url(host="two.example"), allowed=HERE).content == CALENDAR


def test_redirects_are_judged_anew(web):
    web.say("/moved", b"", 302, Location="/a.ics")
    web.say("/a.ics", CALENDAR)
    found = fetch(web.url("/moved"), allowed=HERE)
    assert (found.url, found.address) == (web.url("/a.ics"), web.url("/moved"))
    only_localhost = Allowed.listed("localhost")
    for target in (web.url("/a.ics"), f"//127.0.0.1:{web.port}/a.ics", "http://169.254.169.254/"):
        web.say("/away", b"", 307, Location=target)
        web.asked.clear()
        assert refused(web.url("/away", "localhost"), allowed=only_localhost).code == "private"
        assert [path for path, _headers in web.asked] == ["/away"]
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/", "javascript:1"):
        web.say("/away", b"", 307, Location=target)
        assert refused(web.url("/away")).code == "redirect"
    web.say("/away", b"", 307, Location="http://127.0.0.1:25/")
    assert refused(web.url("/away")).code == "port"


def test_redirects_end(web):
    web.say("/loop", b"", 301, Location="/loop")
    assert refused(web.url("/loop")).code == "redirects"
    assert len(web.asked) == 6


def test_credentials_stay_with_their_host(web):
    web.say("/a", b"", 302, Location="/b")
    web.say("/b", b"", 302, Location=web.url("/c", "localhost"))
    web.say("/c", CALENDAR)
    allowed = Allowed.listed("localhost, 127.0.0.1")
    found = fetch(web.url("/a", login="ana:p%40%C3%B1@"), allowed=allowed)
    assert [("Authorization" in headers) for _path, headers in web.asked] == [True, True, False]
    assert web.asked[0][1]["Authorization"] == "Basic YW5hOnBAw7E="
    assert "ana" not in found.url + found.address


def test_no_way_back_from_https():
    [start] = read_address("https://example.com/a")
    with pytest.raises(FetchError) as caught:
        follow(start, "http://example.com/a")
    assert caught.value.code == "downgrade"


def test_passwords_of_the_environment_stay_there(web, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password secret")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    web.say("/", CALENDAR)
    fetch(web.url(), allowed=HERE)
    assert "Authorization" not in web.asked[0][1]


def drip(handler):
    """The head at once, and then an octet now and then."""
    handler.send_response_only(200)
    handler.end_headers()
    for _second in range(100):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.05)


def drip_head(handler):
    handler.send_response_only(200)
    handler.flush_headers()
    for number in range(100):
        handler.wfile.write(b"X-%d: 1\r\n" % number)
        handler.wfile.flush()
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [drip, drip_head, lambda _handler: time.sleep(5)])
def test_the_time_is_for_all_of_it(web, answer):
    web.answers["/"] = answer
    started = time.monotonic()
    assert refused(web.url(), seconds=0.5).code == "timeout"
    assert time.monotonic() - started < 2


def test_a_handshake_that_does_not_come_to_an_end():
    with socket.create_server(("127.0.0.1", 0)) as server:
        started = time.monotonic()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        assert refused(url, seconds=0.5).code == "timeout"
        assert time.monotonic() - started < 2


def test_a_resolver_that_is_slow(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kw: time.sleep(5) or [])
    started = time.monotonic()
    assert refused("http://slow.example/", seconds=0.3).code == "timeout"
    assert time.monotonic() - started < 2


def test_sizes(web):
    web.say("/said", b"x" * 2001)
    assert refused(web.url("/said"), limit=2000).code == "too_large"
    web.say("/unsaid", b"x" * 2001, Content_Length=None)
    assert refused(web.url("/unsaid"), limit=2000).code == "too_large"
    assert len(fetch(web.url("/said"), limit=2001, allowed=HERE).content) == 2001

    def endless(handler):
        handler.send_response_only(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        while True:
            handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    web.answers["/endless"] = endless
    assert refused(web.url("/endless"), limit=500_000).code == "too_large"


def test_what_is_packed_is_unpacked_with_care(web):
    packed = gzip.compress(CALENDAR)
    web.say("/packed", packed, Content_Encoding="gzip")
    assert fetch(web.url("/packed"), allowed=HERE).content == CALENDAR
    web.say("/twice", packed + packed, Content_Encoding="gzip")
    assert fetch(web.url("/twice"), allowed=HERE).content == CALENDAR * 2
    web.say("/half", packed[:-9], Content_Encoding="gzip")
    assert refused(web.url("/half")).code == "cut"
    web.say("/none", CALENDAR, Content_Encoding="gzip")
    assert refused(web.url("/none")).code == "encoding"
    web.say("/brotli", CALENDAR, Content_Encoding="br")
    assert refused(web.url("/brotli")).code == "encoding"
    bomb = gzip.compress(bytes(200_000_000), 9)
    web.say("/bomb", bomb, Content_Encoding="gzip")
    tracemalloc.start()
    assert refused(web.url("/bomb"), limit=5_000_000).code == "too_large"
    assert tracemalloc.get_traced_memory()[1] < 30_000_000
    tracemalloc.stop()


def test_half_an_answer_is_none(web):
    web.say("/", CALENDAR, Content_Length=1000)
    assert refused(web.url()).code == "cut"


def test_no_http_at_all(web):
    web.answers["/"] = lambda handler: handler.wfile.write(b"\x00\xff" * 3000)
    assert refused(web.url()).code in ("cut", "broken")
    web.answers["/"] = lambda handler: handler.wfile.write(b"220 mail.example ESMTP\r\n")
    assert refused(web.url()).code in ("cut", "broken")


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refused(f"http://127.0.0.1:{port}/").code == "unreachable"
    assert refused("http://no-such-host.invalid/").code == "unknown_host"


def test_certificates(tmp_path):
    right = certificate_for(tmp_path / "right.pem", "localhost", "127.0.0.1")
    with serving(right) as web:
        web.say("/", CALENDAR)
        url = web.url(host="localhost", scheme="https")
        allowed = Allowed.listed("localhost")
        assert refused(url, allowed=allowed).code == "certificate"
        # Nor is webcal a way around it.
        assert refused(url.replace("https", "webcal"), allowed=allowed).code == "certificate"
        assert not web.asked
        assert fetch(url, allowed=allowed, verify=right).content == CALENDAR
    other = certificate_for(tmp_path / "other.pem", "other.example")
    with serving(other) as web:
        url = web.url(host="localhost", scheme="https")
        assert refused(url, allowed=allowed, verify=other).code == "certificate"


def test_webcal_is_https_and_else_http(web, tmp_path):
    web.say("/", CALENDAR)
    found = fetch(web.url(scheme="webcal"), allowed=HERE)
    assert (found.content, found.address) == (CALENDAR, web.url())
    # A password does not go in the clear because nobody answers on https.
    assert refused(web.url(scheme="webcal", login="ana:secret@")).code == "tls"
    right = certificate_for(tmp_path / "right.pem", "127.0.0.1")
    with serving(right) as secure:
        secure.say("/", CALENDAR)
        found = fetch(secure.url(scheme="webcal"), allowed=HERE, verify=right)
        assert found.address == secure.url(scheme="https")


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "address"), ("http://", "address"), ("file:///etc/passwd", "scheme"),
     ("ftp://example.com/", "scheme"), ("example.com/a.ics", "address"),
     ("http://exa\\mple.com/", "address"), ("http://example.com:99999/", "address"),
     ("https://[::1/", "address"), ("http://" + "a" * 5000, "address")],
)  # fmt: skip
def test_what_is_no_address(text, code):
    with pytest.raises(FetchError) as caught:
        fetch(text)
    assert caught.value.code == code


@pytest.mark.parametrize("port", [0, 22, 25, 53, 6379, 11211, 6667])
def test_ports_of_other_services(port):
    assert refused(f"http://127.0.0.1:{port}/").code == "port"
    assert not is_usual(port)


def test_the_log_says_nothing_of_the_way(web, caplog):
    web.answers["/secret"] = lambda handler: handler.wfile.write(
        b"HTTP/1.0 200 OK\r\nbad header\r\n\r\nx"
    )
    with caplog.at_level(logging.DEBUG):
        fetch(web.url("/secret", login="ana:secret@"), allowed=HERE)
        logging.getLogger("urllib3.connectionpool").warning("of others")
    assert "secret" not in caplog.text
    assert "of others" in caplog.text


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:{}", "64:ff9b::{}", "::{}"]))
def test_wrapped_addresses_are_never_public(ip, form):
    assert not is_public(form.format(ip))


@given(st.ip_addresses())
def test_public_is_never_what_python_calls_private(ip):
    if is_public(ip):
        assert not (ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast)


@given(st.text())
def test_any_text_is_an_address_or_an_error(text):
    for form in (text, f"http://{text}", f"https://example.com/{text}"):
        try:
            for address in read_address(form):
                follow(address, text)
        except FetchError as error:
            assert error.code
