"""The virtual environments: one that runs Odoo and the tests, one for linters."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .paths import CHECKOUT, subdir
from .say import SetupError, say, step
from .system import install_debian_packages, run

HERE = Path(__file__).parent
ADDON_REQUIREMENTS = CHECKOUT / "requirements.txt"
#: Addons that the tests use where they can be had. They name Odoo itself as a
#: need, which PyPI has not got: installed without what they need.
ADDONS = HERE / "requirements-addons.txt"
#: Another calendar, which reads what is exported: the tests do without where it cannot be had.
KHAL = HERE / "requirements-khal.txt"
CLIENTS = HERE / "requirements-clients.txt"
TESTER = HERE / "requirements-tester.txt"
SERVERS = HERE / "requirements-peers.txt"


def odoo_python(source):
    """The interpreter that imports Odoo, the addon's needs and the test tools.

    :param OdooSource source: which Odoo
    :rtype: Path
    """
    files = [ADDON_REQUIREMENTS, HERE / "requirements-dev.txt"]
    if not source.python:
        files.insert(0, HERE / "requirements-odoo.txt")
    base = source.python or Path(sys.executable)
    pins = _versions_beside(source.python) if source.python else ""
    salt = f"{source.python_path}{source.python}"
    home = _environment("venv", base, files, salt, pins, addons=ADDONS)
    library = next((home / "lib").glob("python3*")) / "site-packages"
    if source.python:
        # Not --system-site-packages: of a virtual environment it sees nothing.
        lines = [f"import site; site.addsitedir({path!r})" for path in _libraries(source.python)]
    else:
        lines = [str(source.python_path)]
    (library / "odoo-source.pth").write_text("\n".join(lines) + "\n")
    return home / "bin/python"


def _libraries(python):
    """The package folders of an interpreter."""
    code = "import sys; print('\\n'.join(p for p in sys.path if p.endswith('-packages')))"
    return run([str(python), "-c", code], "Asking Python", cwd="/").split("\n")[:-1]


def _versions_beside(python):
    """Constraints that keep what pip adds in step with the packages of an Odoo's Python."""
    code = (
        "from importlib.metadata import distributions as d;"
        "print('\\n'.join(sorted({f'{i.name}=={i.version}' for i in d() if i.name != 'odoo'})))"
    )
    return run([str(python), "-c", code], "Asking Python", cwd="/")


def lint_bin():
    """Folder of the linters' commands."""
    file = HERE / "requirements-lint.txt"
    return _environment("lint", Path(sys.executable), [file]) / "bin"


def khal():
    """The command ``khal``: the user's own, else in an environment of its own; None without."""
    found = os.environ.get("CRM_AUTOMATION_KHAL") or shutil.which("khal")
    if found:
        return found
    try:
        return str(_environment("khal", Path(sys.executable), [KHAL]) / "bin/khal")
    except SetupError as error:
        say(f"  Note: without khal: {str(error)[-300:]}")
        return None


def clients():
    """Folder of the commands of calendar programs written in Python; None without."""
    return _commands("clients", CLIENTS)


def tester():
    """Folder of the command ``caldav-server-tester``; None without."""
    return _commands("tester", TESTER)


def peers():
    """Folder of the commands of other CalDAV servers; None without."""
    return _commands("peers", SERVERS)


def _commands(kind, file):
    try:
        return str(_environment(kind, Path(sys.executable), [file]) / "bin")
    except SetupError as error:
        say(f"  Note: without {file.name}: {str(error)[-300:]}")
        return None


def _environment(kind, base, files, salt="", pins="", addons=None):
    version = run([str(base), "-c", "import sys; print(sys.version)"], "Asking Python").strip()
    texts = [f.read_text() for f in [*files, *filter(None, [addons])]]
    text = version + salt + pins + "".join(texts)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    home = subdir("python") / f"{kind}-{version.split()[0]}-{digest}"
    if (home / "complete").is_file():
        return home
    _need_venv_module(base)
    shutil.rmtree(home, ignore_errors=True)
    clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    with step(f"Making the Python {version.split()[0]} environment ({kind})", "1 to 2 minutes"):
        run([str(base), "-m", "venv", str(home)], "Making the environment", env=clean)
        needs = [word for file in files for word in ("-r", str(file))]
        if pins:
            (home / "pins.txt").write_text(pins)
            needs += ["-c", str(home / "pins.txt")]
        run(
            [str(home / "bin/pip"), "install", "--quiet", "--no-warn-script-location", *needs],
            "Installing Python packages with pip",
            env=clean,
        )
        if addons:
            _install_addons(home, addons, clean)
    (home / "complete").touch()
    return home


def _install_addons(home, file, env):
    """Tests that use them are skipped where they cannot be had."""
    command = [str(home / "bin/pip"), "install", "--quiet", "--no-deps", "-r", str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        say(f"  Note: without {file.name}: {done.stderr.strip()[-300:]}")


def _need_venv_module(base):
    done = subprocess.run([str(base), "-c", "import ensurepip, venv"], capture_output=True)
    if done.returncode == 0:
        return
    if base.resolve().is_relative_to("/usr/bin"):
        install_debian_packages([f"{base.resolve().name}-venv"], "virtual environments")
        return
    raise SetupError(
        f"{base} has no venv module. Name another Python: CRM_AUTOMATION_PYTHON=/path/to/python3"
    )
