"""Real calendar programs against a real server: what they ask is what has to be answered."""

import base64
import os
import subprocess
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import odoo.sql_db

import processes
import session

BIN = Path(os.environ.get("CRM_AUTOMATION_CLIENTS") or "/nowhere")
DEBIAN = Path(os.environ.get("CRM_AUTOMATION_DEBIAN") or "/nowhere")
needs_python = pytest.mark.skipif(not BIN.is_dir(), reason="no programs of Python")
needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="no programs of Debian")
EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//X//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20270101T000000Z
DTSTART:20270301T100000Z
DTEND:20270301T110000Z
SUMMARY:{summary}
X-A;B=1:kept
END:VEVENT
END:VCALENDAR
"""


class Account:
    """Luis's calendars on a running server."""

    def __init__(self, url, key):
        self.url, self.login, self.key = url, "luis", key
        self.home = f"{url}/caldav/calendars/luis/"
        self.agenda = f"{self.home}agenda/"

    def ask(self, method, url, body=None, **headers):
        """(status, text)"""
        request = urllib.request.Request(url, body and body.encode(), method=method)
        secret = base64.b64encode(f"{self.login}:{self.key}".encode()).decode()
        request.add_header("Authorization", f"Basic {secret}")
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def put(self, name, summary):
        text = EVENT.format(uid=name, summary=summary)
        status, answer = self.ask(
            "PUT", f"{self.agenda}{name}.ics", text, Content_Type="text/calendar"
        )
        assert status in (201, 204), answer

    def text(self, name):
        return self.ask("GET", f"{self.agenda}{name}.ics")[1]


@pytest.fixture(scope="module")
def account(tmp_path_factory, registry):
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        key = env["res.users.apikeys"].with_user(luis).sudo()._generate("caldav", "Test", None)
    odoo.sql_db.close_all()
    log = tmp_path_factory.mktemp("log") / "odoo.log"
    with processes.odoo_server(log, 0) as server:
        account = Account(server.url, key)
        end = time.monotonic() + 90
        while True:
            try:
                assert account.ask("PROPFIND", account.home, Depth="0")[0] == 207
                break
            except urllib.error.URLError:
                assert time.monotonic() < end, log.read_text()[-3000:]
                time.sleep(0.3)
        yield account
        assert "Traceback" not in log.read_text()
    odoo.sql_db.close_all()


@pytest.fixture(autouse=True)
def clean(account):
    with session.environment() as env:
        luis = env["res.users"].search([("login", "=", "luis")])
        events = env["calendar.event"].with_context(active_test=False)
        events.search([("user_id", "=", luis.id)]).unlink()
    odoo.sql_db.close_all()


def run(command, folder, **environment):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": "", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_python
def test_vdirsyncer_both_ways(account, tmp_path):
    (tmp_path / "config").write_text(
        textwrap.dedent(
            f"""\
            [general]
            status_path = "{tmp_path}/status/"
            [pair cal]
            a = "local"
            b = "remote"
            collections = ["agenda"]
            conflict_resolution = "b wins"
            [storage local]
            type = "filesystem"
            path = "{tmp_path}/cal/"
            fileext = ".ics"
            [storage remote]
            type = "caldav"
            url = "{account.url}/"
            username = "{account.login}"
            password = "{account.key}"
            """
        )
    )
    folder = tmp_path / "cal/agenda"
    folder.mkdir(parents=True)

    def sync():
        run([BIN / "vdirsyncer", "-c", "config", "sync"], tmp_path)

    def local(name):
        [path] = [one for one in folder.iterdir() if f"UID:{name}\n" in one.read_text()]
        return path

    account.put("there", "There")
    (folder / "here.ics").write_text(EVENT.format(uid="here", summary="Here"))
    run([BIN / "vdirsyncer", "-c", "config", "discover", "cal"], tmp_path)
    sync()
    assert "SUMMARY:There" in local("there").read_text()
    assert "SUMMARY:Here" in account.text("here") and "X-A;B=1:kept" in account.text("here")
    # Both sides change other things, then the same.
    with session.environment() as env:
        env["calendar.event"].search([("ical_uid", "=", "here")]).name = "Changed in Odoo"
    path = local("there")
    path.write_text(path.read_text().replace("There", "Changed here"))
    sync()
    assert "Changed in Odoo" in local("here").read_text()
    assert "Changed here" in account.text("there")
    account.put("there", "Odoo wins")
    path.write_text(path.read_text().replace("Changed here", "Loses"))
    sync()
    assert "Odoo wins" in path.read_text() and "Odoo wins" in account.text("there")
    # Deleted on either side.
    local("here").unlink()
    account.ask("DELETE", f"{account.agenda}there.ics")
    sync()
    assert account.ask("GET", f"{account.agenda}here.ics")[0] == 404
    assert not list(folder.glob("*.ics"))


@needs_python
def test_the_python_library(account, tmp_path):
    script = Path(__file__).with_name("caldav_library.py")
    run(
        [BIN / "python", script, f"{account.url}/caldav/", account.login, account.key], tmp_path
    )  # fmt: skip


@needs_debian
def test_cadaver(account, tmp_path):
    host = account.url.split("//")[1].split(":")[0]
    (tmp_path / ".netrc").write_text(
        f"machine {host}\nlogin {account.login}\npassword {account.key}\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "one.ics").write_text(EVENT.format(uid="one", summary="One"))
    (tmp_path / "rc").write_text(
        f"open {account.agenda}\nput one.ics a.ics\nmove a.ics b.ics\nls\nget b.ics got.ics\n"
        "delete b.ics\nls\nquit\n"
    )
    library = next(DEBIAN.glob("usr/lib/*/libneon-gnutls.so.27")).parent
    told = run(
        [DEBIAN / "usr/bin/cadaver", "-r", "rc"], tmp_path, LD_LIBRARY_PATH=str(library)
    )  # fmt: skip
    assert (tmp_path / "got.ics").read_text() == (tmp_path / "one.ics").read_text(), told
    assert "failed" not in told and "404" not in told
    assert account.ask("GET", f"{account.agenda}b.ics")[0] == 404


@needs_debian
@needs_python
def test_calcurse(account, tmp_path):
    account.put("there", "There")
    host = account.url.split("//")[1]
    (tmp_path / "config").write_text(
        textwrap.dedent(
            f"""\
            [General]
            Binary = {DEBIAN}/usr/bin/calcurse
            Hostname = {host}
            Path = /caldav/calendars/luis/agenda/
            AuthMethod = basic
            HTTPS = No
            DryRun = No
            [Auth]
            Username = {account.login}
            Password = {account.key}
            """
        )
    )
    data = tmp_path / "data"
    data.mkdir()

    def sync(*more):
        command = [BIN / "python", DEBIAN / "usr/bin/calcurse-caldav", "--config", "config"]
        command += ["--lockfile", "lock", "--syncdb", "sync.db", "--datadir", data]
        run([*command, "--hookdir", "hooks", *more], tmp_path)

    sync("--init", "keep-remote")
    assert "There" in (data / "apts").read_text()
    with (data / "apts").open("a") as file:
        file.write("03/02/2027 @ 09:00 -> 03/02/2027 @ 10:00 |From calcurse\n")
    sync()
    with session.environment() as env:
        assert env["calendar.event"].search([("name", "=", "From calcurse")])
    account.ask("DELETE", f"{account.agenda}there.ics")
    sync()
    assert "There" not in (data / "apts").read_text()
