"""Real calendar programs against a real server: what they ask is what has to be answered."""

import os
import subprocess
import textwrap
from pathlib import Path

import pytest

import session
from caldav_account import EVENT, forget_meetings, running

BIN = Path(os.environ.get("CRM_AUTOMATION_CLIENTS") or "/nowhere")
DEBIAN = Path(os.environ.get("CRM_AUTOMATION_DEBIAN") or "/nowhere")
needs_python = pytest.mark.skipif(not BIN.is_dir(), reason="no programs of Python")
needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="no programs of Debian")


@pytest.fixture(scope="module")
def account(tmp_path_factory, registry):
    with running(tmp_path_factory.mktemp("log") / "odoo.log") as found:
        yield found


@pytest.fixture(autouse=True)
def clean(account):
    forget_meetings()


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
