"""A bare calendar program: requests, and what their answers say."""

import base64
import re
import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

DAV, CALDAV = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
SYNC = (
    '<D:sync-collection xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:sync-token>{}'
    "</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:getetag/><C:calendar-data/></D:prop>"
    "</D:sync-collection>"
)
LIST = '<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'


class Answer(NamedTuple):
    status: int
    text: str
    etag: str


class Changes(NamedTuple):
    """:param dict changed: (ETag, text) by names
    :param set gone: names
    :param str token: for the next time
    """

    changed: dict
    gone: set
    token: str


class DavClient:
    """:param str url: of the server
    :param str login: of the user
    :param str secret: his key or password
    :param float seconds: that an answer is waited for
    """

    def __init__(self, url, login, secret, seconds=180):
        self.url, self.seconds = url, seconds
        token = base64.b64encode(f"{login}:{secret}".encode()).decode()
        self.headers = {"Authorization": f"Basic {token}"}

    def ask(self, method, path, body=None, **headers):
        """Send a request once.

        :raises OSError, http.client.HTTPException: when there is no answer
        """
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(
            self.url + quote(path), body and body.encode(), {**self.headers, **headers},
            method=method,
        )  # fmt: skip
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:
                return Answer(answer.status, answer.read().decode(), answer.headers["ETag"])
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read().decode(errors="replace"), None)

    def put(self, path, text, etag=None):
        """Write on condition: what is there has the ETag; without one, nothing is there."""
        condition = {"If_Match": etag} if etag else {"If_None_Match": "*"}
        return self.ask("PUT", path, text, Content_Type="text/calendar", **condition)

    def delete(self, path, etag):
        return self.ask("DELETE", path, If_Match=etag)

    def sync(self, path, token):
        """What has changed since a token, as Changes; or the Answer that says why not."""
        answer = self.ask(
            "REPORT", path, SYNC.format(token), Depth="0", Content_Type="application/xml"
        )
        if answer.status != 207:
            return answer
        changed, gone = {}, set()
        tree = ElementTree.fromstring(answer.text)
        for one in tree.iter(f"{DAV}response"):
            name = name_of(one)
            text = one.findtext(f".//{CALDAV}calendar-data")
            if text is None:
                gone.add(name)
            else:
                changed[name] = one.findtext(f".//{DAV}getetag"), text
        return Changes(changed, gone, tree.findtext(f"{DAV}sync-token"))

    def listed(self, path):
        """ETags by the names of all objects; or the Answer that says why not."""
        answer = self.ask("PROPFIND", path, LIST, Depth="1", Content_Type="application/xml")
        if answer.status != 207:
            return answer
        found = {
            name_of(one): one.findtext(f".//{DAV}getetag")
            for one in ElementTree.fromstring(answer.text).iter(f"{DAV}response")
        }
        return {name: etag for name, etag in found.items() if name.endswith(".ics")}


def name_of(response):
    """Last part of the address of what is told about."""
    return unquote(urlsplit(response.findtext(f"{DAV}href")).path.rsplit("/", 1)[1])


def values(text, name):
    """The values of a property in a text, its lines unfolded."""
    lines = re.sub(r"\r?\n[ \t]", "", text)
    return [value.strip() for value in re.findall(rf"^{name}(?:;[^:\n]*)?:(.*)$", lines, re.M)]
