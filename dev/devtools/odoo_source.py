"""Gets Odoo 19: the user's own first, else Debian's package, else a clone.

The Debian package is unpacked into the cache folder and never installed, since
its dependencies would pull the whole system to Debian's unstable suite.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .paths import state_dir, subdir
from .say import SetupError, say, step
from .system import run

SERIES = "19.0"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
LEFT_OUT = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)
#: The package holds symbolic links into these packages.
LINKED_FROM_SID = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-ocr-b",
)
#: sid's Font Awesome 7 has another layout: icons stay blank. Stable has 4.7.
LINKED_FROM_STABLE = ("fonts-font-awesome", "fonts-inconsolata")


@dataclasses.dataclass(frozen=True)
class OdooSource:
    """An Odoo that can be run.

    :param Path python_path: folder that holds the package ``odoo``, or None
        where a Python already imports it
    :param Path python: the interpreter that imports it, or None
    :param list addons: folders of addons beside ``odoo/addons``
    :param str version: what Odoo says of itself, e.g. ``19.0+dfsg``
    """

    python_path: Path | None
    python: Path | None
    addons: tuple
    version: str


def find_odoo():
    """The Odoo to use, fetched if there is none.

    :rtype: OdooSource
    :raises SetupError: when no way leads to an Odoo 19
    """
    return _from_home() or _importable() or _from_debian() or _from_clone()


def _version_in(package):
    release = package / "release.py"
    if not release.is_file():
        return None
    values = {}
    exec(compile(release.read_text(), str(release), "exec"), values)
    return values["version"]


def _is_right(version, where):
    if version and version.startswith(SERIES):
        return True
    say(f"  {where} is Odoo {version or '?'}, not {SERIES}: passed over")
    return False


def _checkout(home):
    """An OdooSource of a source tree, as git or a tarball lays it out."""
    version = _version_in(home / "odoo")
    if not version or not _is_right(version, home):
        return None
    addons = tuple(p for p in [home / "addons"] if p.is_dir())
    return OdooSource(home, None, addons, version)


def _from_home():
    home = os.environ.get("ODOO_HOME")
    if not home:
        return None
    source = _checkout(Path(home).resolve())
    if not source:
        raise SetupError(
            f"ODOO_HOME={home} holds no Odoo {SERIES} (looked for odoo/release.py). "
            "Point it at a source checkout of branch 19.0, or unset it."
        )
    return source


def _importable():
    code = "import odoo, odoo.release; print(odoo.release.version)"
    for name in dict.fromkeys(["python3", "python", sys.executable]):
        python = shutil.which(name)
        if not python:
            continue
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, env=clean, cwd="/"
        )
        version = done.stdout.strip()
        if done.returncode == 0 and _is_right(version, f"the odoo of {python}"):
            return OdooSource(None, Path(python), (), version)
    return None


def _unpacked():
    marker = state_dir() / "odoo" / "complete"
    if not marker.is_file():
        return None
    packages = marker.parent / "root/usr/lib/python3/dist-packages"
    version = _version_in(packages / "odoo")
    if version:
        _replace_left_out(packages / "odoo/addons")
    return version and OdooSource(packages, None, (), marker.read_text().strip())


def _replace_left_out(addons):
    """Empty files for those that Debian leaves out for their licence.

    Odoo's asset bundle names them, and the browser reports each as an error,
    which fails every tour. They blur the background of video calls.
    """
    for name in LEFT_OUT:
        path = addons / name
        if path.parent.parent.is_dir() and not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text("/* Left out by Debian. */\n")


def _from_debian():
    if found := _unpacked():
        return found
    if not shutil.which("apt-get") or not KEYRING.is_file():
        return None
    sites = run(
        ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"],
        "Reading this machine's package sources",
    ).split()
    # The archive's own address comes from this machine's configuration; the
    # security and third-party archives do not have the suite.
    archives = [s for s in dict.fromkeys(sites) if re.search(r"/debian/?$", s)]
    chosen = os.environ.get("CRM_AUTOMATION_DEBIAN")
    for site in [chosen] if chosen else archives:
        try:
            return _unpack_from(site)
        except SetupError as error:
            say(f"  {error}")
    return None


def _stable_suite():
    words = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    name = words.get("VERSION_CODENAME", "").strip('"')
    is_stable = words.get("ID") == "debian" and name not in ("", "sid", "forky")
    return name if is_stable else "stable"


def _unpack_from(site):
    home = subdir("odoo")
    tree = subdir("odoo", "apt")
    for name in ("etc/apt.conf.d", "etc/preferences.d", "lists/partial", "archives/partial"):
        (tree / name).mkdir(parents=True, exist_ok=True)
    stable = _stable_suite()
    (tree / "etc/sources.list").write_text(
        "".join(f"deb [signed-by={KEYRING}] {site} {suite} main\n" for suite in ("sid", stable))
    )
    options = [
        f"-oDir::Etc={tree}/etc",
        "-oDir::Etc::sourcelist=sources.list",
        f"-oDir::State::Lists={tree}/lists",
        f"-oDir::Cache={tree}",
        # Otherwise two suites of this size do not fit in apt's default map.
        "-oAPT::Cache-Start=100000000",
        # As root, apt would download as another user, who cannot enter here.
        "-oAPT::Sandbox::User=root",
    ]
    with step("Reading the index of Debian's suite that has Odoo 19", "30 s"):
        run(["apt-get", *options, "update"], "Reading Debian's package index")
    wanted = [f"{name}/sid" for name in ("odoo-19", *LINKED_FROM_SID)]
    wanted += [f"{name}/{stable}" for name in LINKED_FROM_STABLE]
    with step("Downloading Odoo 19 (125 MB)", "1 to 5 minutes"):
        run(["apt-get", *options, "download", *wanted], "The download of Odoo 19", cwd=tree)
    root = home / "root"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    with step("Unpacking it (1.2 GB)", "20 s"):
        for package in sorted(tree.glob("*.deb")):
            run(["dpkg", "-x", str(package), str(root)], f"Unpacking {package.name}")
    broken = [p for p in root.rglob("*") if p.is_symlink() and not p.exists()]
    if broken:
        raise SetupError(f"The unpacked Odoo lacks the targets of: {broken[:5]}")
    package = next(tree.glob("odoo-19_*.deb")).name
    version = package.split("_")[1].replace("%3a", ":")
    shutil.rmtree(tree)
    (home / "complete").write_text(f"{version}\n")
    return _unpacked()


def _from_clone():
    home = subdir() / "odoo-git"
    if not (home / "odoo/release.py").is_file():
        address = f"https://{'github.com'}/odoo/odoo.git"
        try:
            with step(f"Cloning Odoo {SERIES} (one commit)", "5 minutes"):
                run(
                    ["git", "clone", "--depth", "1", "--branch", SERIES, address, str(home)],
                    "Cloning Odoo",
                )
        except SetupError as error:
            shutil.rmtree(home, ignore_errors=True)
            raise SetupError(
                f"{error}\nOdoo {SERIES} could not be had. Ways to get it:\n"
                "  - name a source checkout:    ODOO_HOME=/path/to/odoo ./dev/run\n"
                "  - name a Debian archive:     CRM_AUTOMATION_DEBIAN=http://…/debian ./dev/run\n"
                "  - or connect this machine to the internet for the first run."
            ) from error
    return _checkout(home)
