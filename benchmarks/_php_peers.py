"""CalDAV servers written in PHP, out of Debian's packages, behind PHP's own server.

Apache would keep connections; what a question costs the server is the same.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from _servers import WORKERS, free_port, running

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("CRM_AUTOMATION_PHP") or "/nowhere")
EXTENSIONS = (
    "ctype", "dom", "iconv", "mbstring", "pdo", "pdo_sqlite", "pdo_pgsql", "pgsql", "simplexml",
    "xml", "xmlreader", "xmlwriter", "tokenizer", "gettext", "posix", "calendar",
)  # fmt: skip
DAVICAL = "bench_davical"
#: What DAViCal makes of an empty database, in order.
SCHEMA = (
    "awl/dba/awl-tables.sql", "awl/dba/schema-management.sql", "davical/dba/davical.sql",
    "davical/dba/base-data.sql", "davical/dba/caldav_functions.sql",
    "davical/dba/rrule_functions.sql", "davical/dba/views/dav_principal.sql",
)  # fmt: skip


def _command(port, script, include=""):
    [library] = (ROOT / "usr/lib/php").glob("2*")
    options = [f"extension_dir={library}", "zend_extension=opcache", "opcache.enable_cli=1",
               "memory_limit=512M", "display_errors=0", f"include_path={include}"]  # fmt: skip
    options += [f"extension={name}" for name in EXTENSIONS]
    words = [word for option in options for word in ("-d", option)]
    return [ROOT / "usr/bin/php8.2", "-n", *words, "-S", f"127.0.0.1:{port}", script]


def _environment(**more):
    libraries = next((ROOT / "usr/lib").glob("*-linux-gnu*"))
    return {**os.environ, "LD_LIBRARY_PATH": str(libraries), "PHP_CLI_SERVER_WORKERS": str(WORKERS),
            **more}  # fmt: skip


@contextlib.contextmanager
def sabredav():
    port, folder = free_port(), Path(tempfile.mkdtemp())
    examples = ROOT / "usr/share/doc/php-sabre-dav/examples/sql"
    with contextlib.closing(sqlite3.connect(folder / "dav.db")) as database:
        for name in ("principals", "calendars"):
            database.executescript((examples / f"sqlite.{name}.sql").read_text())
        database.execute(
            "INSERT INTO principals (uri, email, displayname)"
            " VALUES ('principals/alice', 'alice@example.com', 'Alice')"
        )
        database.commit()
    environment = _environment(
        DATABASE=str(folder / "dav.db"), PHP_LIBRARY=str(ROOT / "usr/share/php")
    )
    try:
        with running(_command(port, HERE / "_sabredav.php"), port, environment):
            yield f"http://127.0.0.1:{port}/"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _psql(database, *words):
    subprocess.run(
        [os.environ["CRM_AUTOMATION_PSQL"], "-X", "-q", "-d", database, *words], check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@contextlib.contextmanager
def davical():
    """It looks for its configuration beside its pages: those are copied."""
    port, folder = free_port(), Path(tempfile.mkdtemp())
    share = ROOT / "usr/share"
    shutil.copytree(share / "davical", folder / "davical", symlinks=False)
    (folder / "davical/config").mkdir(exist_ok=True)
    (folder / "davical/config/config.php").write_text(
        "<?php\n"
        f'$c->pg_connect[] = "dbname={DAVICAL} host={os.environ["PGHOST"]}'
        f' user={os.environ["PGUSER"]}";\n'
        '$c->admin_email = "a@example.com"; $c->dbg = []; $c->default_locale = "en";\n'
        "error_reporting(E_ALL & ~E_DEPRECATED & ~E_WARNING & ~E_NOTICE);\n"
    )
    _psql("postgres", "-c", f"DROP DATABASE IF EXISTS {DAVICAL}")
    _psql("postgres", "-c", f"CREATE DATABASE {DAVICAL} ENCODING 'UTF8' TEMPLATE template0")
    try:
        for name in SCHEMA:
            _psql(DAVICAL, "-f", str(share / name))
        _psql(
            DAVICAL, "-c",
            "INSERT INTO usr (username, password, fullname, email, active)"
            " VALUES ('alice', '**alice', 'Alice', 'alice@example.com', TRUE)", "-c",
            "INSERT INTO principal (type_id, user_no, displayname, default_privileges)"
            " SELECT 1, user_no, 'Alice', 0::BIT(24) FROM usr WHERE username = 'alice'",
        )  # fmt: skip
        include = f"{folder}/davical/inc:{share}/awl/inc"
        pages = folder / "davical/htdocs"
        command = _command(port, pages / "caldav.php", include)
        with running(command, port, _environment(), pages):
            yield f"http://127.0.0.1:{port}/caldav.php/"
    finally:
        _psql("postgres", "-c", f"DROP DATABASE IF EXISTS {DAVICAL} WITH (FORCE)")
        shutil.rmtree(folder, ignore_errors=True)
