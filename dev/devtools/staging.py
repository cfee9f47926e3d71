"""A folder that shows the checkout to Odoo under the addon's right name.

Odoo and pytest-odoo take an addon's name from its folder, and a checkout may
sit in a folder of any name.
"""

import ast
import hashlib

from .paths import ADDON, CHECKOUT, checkout_name, subdir

#: What is no part of the addon.
OUTSIDE = {
    "benchmarks",
    "build",
    "dev",
    "dist",
    "docs",
    "pyproject.toml",
    "tests_processes",
    "tests_pure",
}


def stage():
    """Make or refresh the folder; return the addons path that holds it."""
    addons = subdir("stage", checkout_name())
    folder = addons / ADDON
    folder.mkdir(exist_ok=True)
    wanted = {
        entry.name: entry
        for entry in CHECKOUT.iterdir()
        if entry.name not in OUTSIDE and not entry.name.startswith((".", "__pycache__"))
    }
    for link in folder.iterdir():
        if link.is_symlink() and link.name not in wanted:
            link.unlink()
    for name, entry in wanted.items():
        link = folder / name
        if link.is_symlink() and link.resolve() == entry:
            continue
        if link.is_symlink():
            link.unlink()
        link.symlink_to(entry)
    return addons


def manifest():
    return ast.literal_eval((CHECKOUT / "__manifest__.py").read_text())


def addon_digest():
    """A word that changes with what an installed addon would look like.

    What is read at run time counts too: installing again is cheap, and an old
    database would be a lie.
    """
    digest = hashlib.sha256()
    folder = stage() / ADDON
    tops = [top.resolve() for top in sorted(folder.iterdir()) if top.name != "tests"]
    tops.append(CHECKOUT / "dev/devtools/inside/seed_demo.py")
    for top in tops:
        paths = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in paths:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(str(path.relative_to(CHECKOUT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:10]
