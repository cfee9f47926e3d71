"""``./dev/pictures [name ...]``: the pictures of docs/es, from the demo, in Spanish.

Without a name all of them are taken anew. What they show is in ``picture_list.py``, what
happens in the demo before in ``picture_data.py``.
"""

import argparse
import dataclasses
import json
import shutil
import subprocess

from .caldav_keys import make_keys
from .paths import CHECKOUT, checkout_name
from .picture_data import Stage
from .picture_list import PICTURES
from .say import step
from .server import Server
from .system import need_browser
from .workshop import INSIDE, workshop

FOLDER = CHECKOUT / "docs/es/img"


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/pictures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help="take these only")
    parser.add_argument("--port", type=int, default=8269)
    options = parser.parse_args(arguments)
    known = {picture.name for picture in PICTURES}
    if unknown := set(options.names) - known:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    need_browser("the pictures")
    with workshop() as shop:
        database = f"pictures_{checkout_name()}"
        server = Server(shop, database, options.port)
        shop.copy(shop.application(), database)
        try:
            with server:
                server.forget_mail()
                keys = make_keys(shop.cluster, database, ("luis",))
                with step("What the pictures show", "1 minute"):
                    facts = Stage(server, keys).play()
                return _take(shop, server, facts, options.names or known)
        finally:
            shop.drop(database)
            shutil.rmtree(server.mail_dir, ignore_errors=True)


def _take(shop, server, facts, names):
    pictures = [dataclasses.asdict(one) for one in PICTURES if one.name in names]
    for picture in pictures:
        picture["address"] = picture["address"].format(url=server.url, **facts)
    FOLDER.mkdir(parents=True, exist_ok=True)
    order = {"url": server.url, "folder": str(FOLDER), "pictures": pictures}
    with step(f"Taking {len(pictures)} pictures", "2 minutes"):
        return subprocess.run(
            [str(shop.python), str(INSIDE / "take_pictures.py")],
            input=json.dumps(order), text=True, env=shop.environment, cwd="/",
        ).returncode  # fmt: skip
