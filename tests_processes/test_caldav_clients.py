"""Real calendar programs against a real server: what they ask is what has to be answered."""

import contextlib
import os
import re
import subprocess
import textwrap
from datetime import date
from pathlib import Path

import pytest

import odoo.sql_db
from odoo.fields import Command

import session
from caldav_account import EVENT, forget_meetings, running

BIN = Path(os.environ.get("CRM_AUTOMATION_CLIENTS") or "/nowhere")
DEBIAN = Path(os.environ.get("CRM_AUTOMATION_DEBIAN") or "/nowhere")
TESTER = Path(os.environ.get("CRM_AUTOMATION_TESTER") or "/nowhere")
#: What caldav-server-tester has found out, as it prints it.
REPORT = Path(__file__).parents[1] / "docs/caldav-server-tester.txt"
needs_python = pytest.mark.skipif(not BIN.is_dir(), reason="no programs of Python")
needs_tester = pytest.mark.skipif(not TESTER.is_dir(), reason="no caldav-server-tester")
needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="no programs of Debian")


@pytest.fixture(scope="module")
def account(tmp_path_factory, registry):
    with running(tmp_path_factory.mktemp("log") / "odoo.log") as found:
        yield found


@pytest.fixture(autouse=True)
def clean(account):
    forget_meetings()


def run(command, folder, timeout=120, **environment):
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True,
        timeout=timeout,
        env={**os.environ, "HOME": str(folder), "PYTHONPATH": "", **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def write_vdirsyncer(account, folder, *names):
    """Its configuration: these calendars, and a folder for each."""
    quoted = ", ".join(f'"{name}"' for name in names)
    (folder / "config").write_text(
        textwrap.dedent(
            f"""\
            [general]
            status_path = "{folder}/status/"
            [pair cal]
            a = "local"
            b = "remote"
            collections = [{quoted}]
            conflict_resolution = "b wins"
            [storage local]
            type = "filesystem"
            path = "{folder}/cal/"
            fileext = ".ics"
            [storage remote]
            type = "caldav"
            url = "{account.url}/"
            username = "{account.login}"
            password = "{account.key}"
            """
        )
    )
    for name in names:
        (folder / "cal" / name).mkdir(parents=True)


@needs_python
def test_vdirsyncer_both_ways(account, tmp_path):
    write_vdirsyncer(account, tmp_path, "agenda")
    folder = tmp_path / "cal/agenda"

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
def test_khal(account, tmp_path):
    """A calendar for the command line, by way of vdirsyncer's files."""
    write_vdirsyncer(account, tmp_path, "agenda")
    (tmp_path / "khal").write_text(
        textwrap.dedent(
            f"""\
            [calendars]
            [[agenda]]
            path = {tmp_path}/cal/agenda
            [sqlite]
            path = {tmp_path}/khal.db
            [default]
            default_calendar = agenda
            [locale]
            local_timezone = Europe/Madrid
            default_timezone = Europe/Madrid
            timeformat = %H:%M
            dateformat = %Y-%m-%d
            longdateformat = %Y-%m-%d
            datetimeformat = %Y-%m-%d %H:%M
            longdatetimeformat = %Y-%m-%d %H:%M
            """
        )
    )

    def sync(*_words):
        run([BIN / "vdirsyncer", "-c", "config", "sync"], tmp_path)

    def khal(*words):
        return run([BIN / "khal", "-c", "khal", *words], tmp_path)

    account.put("there", "There")
    run([BIN / "vdirsyncer", "-c", "config", "discover", "cal"], tmp_path)
    sync()
    assert "11:00-12:00 There" in khal("list", "2027-03-01", "2027-03-02")
    khal("new", "2027-03-02", "09:00", "10:00", "From khal", "-r", "weekly", "-u", "2027-03-20")
    sync()
    with session.environment() as env:
        made = env["calendar.event"].search([("name", "=", "From khal")], order="start")
        assert [str(one.start) for one in made] == [
            "2027-03-02 08:00:00", "2027-03-09 08:00:00", "2027-03-16 08:00:00",
        ]  # fmt: skip
        made[1].name = "Changed in Odoo"
    sync()
    assert "09:00-10:00 Changed in Odoo" in khal("list", "2027-03-09", "2027-03-10")
    assert "09:00-10:00 From khal" in khal("list", "2027-03-16", "2027-03-17")


@needs_python
def test_todoman(account, tmp_path):
    """To-dos for the command line, by way of vdirsyncer's files."""
    write_vdirsyncer(account, tmp_path, "tasks")
    (tmp_path / "todoman.py").write_text(
        f'path = "{tmp_path}/cal/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\n'
        f'default_list = "tasks"\ncache_path = "{tmp_path}/todoman.db"\n'
    )

    def sync(*_words):
        run([BIN / "vdirsyncer", "-c", "config", "sync"], tmp_path)

    def todo(*words):
        return run([BIN / "todo", "--config", "todoman.py", *words], tmp_path)

    run([BIN / "vdirsyncer", "-c", "config", "discover", "cal"], tmp_path)
    sync()
    todo("new", "--due", "2027-03-05", "Corks from todoman")
    sync()
    with session.environment() as env:
        task = env["project.task"].search([("name", "=", "Corks from todoman")])
        assert task.user_ids.login == "luis" and str(task.date_deadline).startswith("2027-03-0")
        task.name = "More corks"
    sync()
    [line] = [line for line in todo("list").splitlines() if "More corks" in line]
    number = line.split("]")[1].split()[0]
    todo("done", number)
    sync()
    with session.environment() as env:
        task = env["project.task"].search([("name", "=", "More corks")])
        assert task.state == "1_done"
        task.unlink()
    sync()
    assert "More corks" not in todo("list", "--status", "ANY")


@needs_tester
def test_what_the_tester_finds(account, tmp_path):
    """It finds nothing worse than the report in the documentation says."""
    told = run(
        [TESTER / "caldav-server-tester", "--caldav-url", f"{account.url}/caldav/", "--verbose",
         "--caldav-username", account.login, "--caldav-password", account.key], tmp_path,
        timeout=900,
    )  # fmt: skip
    # What it says beside its report is about what it had expected.
    told = re.split(r"\n(?=[A-Z]+:root:)", told[told.index("Server: ") :])[0] + "\n"
    told = told.replace(account.url, "http://localhost:8069")
    (tmp_path / "report.txt").write_text(told)
    good = {name for name, level in levels(REPORT.read_text()).items() if level == "full"}
    worse = {name: level for name, level in levels(told).items() if level != "full"}
    assert len(good) > 80
    assert not good & set(worse), f"the report is {tmp_path}/report.txt"


def levels(text):
    """dict from each feature to how well it is supported"""
    return dict(re.findall(r"^## (\S+)\nFeature support level found: (\S+)", text, re.M))


@needs_python
def test_the_python_library(account, tmp_path):
    script = Path(__file__).with_name("caldav_library.py")
    run(
        [BIN / "python", script, f"{account.url}/caldav/", account.login, account.key], tmp_path
    )  # fmt: skip


@contextlib.contextmanager
def closings():
    """Luis's opportunities as a calendar that programs write into; what they make is unlinked."""
    with session.environment() as env:
        field = env["ir.model.fields"]._get
        definition = env["caldav.calendar.definition"].create(
            {
                "name": "Closings of 2027", "model_id": env["ir.model"]._get_id("crm.lead"),
                "domain": "[('type', '=', 'opportunity'), ('user_id', '=', uid), "
                "('date_deadline', '>=', '2027-01-01')]",
                "may_change": True, "may_create": True, "may_delete": True,
                "line_ids": [
                    Command.create({"property": one, "field_id": field("crm.lead", name).id})
                    for one, name in (("SUMMARY", "name"), ("DTSTART", "date_deadline"))
                ],
            }
        )  # fmt: skip
        name, definition_id = definition.name, definition.id
    odoo.sql_db.close_all()
    found = []
    try:
        yield name, found
    finally:
        with session.environment() as env:
            env["caldav.calendar.definition"].browse(definition_id).unlink()
            leads = env["crm.lead"].with_context(active_test=False)
            leads = leads.search([("name", "=like", "% for Lugo")])
            found += leads.read(["name", "date_deadline", "active", "type"])
            leads.unlink()
        odoo.sql_db.close_all()


@needs_python
def test_records_in_the_python_library(account, tmp_path):
    script = Path(__file__).with_name("caldav_records.py")
    with closings() as (name, found):
        run(
            [BIN / "python", script, f"{account.url}/caldav/", account.login, account.key, name],
            tmp_path,
        )
    [lead] = found
    assert lead == {
        "id": lead["id"], "name": "Barrels for Lugo", "date_deadline": date(2027, 5, 18),
        "active": False, "type": "opportunity",
    }  # fmt: skip


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
