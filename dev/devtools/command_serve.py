"""``./dev/serve``: a fresh copy of the demo behind a real server, for programs.

Prints one line of JSON, runs until SIGTERM (or Ctrl-C), then cleans up.
"""

import argparse
import json
import shutil
import sys
import time

from .caldav_keys import make_keys
from .paths import checkout_name
from .server import Server
from .workshop import workshop

LOGINS = ("admin", "ana", "luis", "marta")


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/serve", description=__doc__)
    parser.add_argument("--port", type=int, default=8169)
    parser.add_argument("--workers", type=int, default=0, help="0: one process with threads")
    parser.add_argument("--db", help="name of the copy; dropped at the end")
    options = parser.parse_args(arguments)
    with workshop() as shop:
        database = options.db or f"serve_{checkout_name()}_{options.port}"
        server = Server(shop, database, options.port, options.workers)
        shop.copy(shop.application(), database)
        try:
            with server:
                server.forget_mail()
                keys = make_keys(shop.cluster, database, LOGINS)
                print(json.dumps(_description(server, keys)), flush=True)
                while server.process.poll() is None:
                    time.sleep(0.2)
                print(server.log.read_text()[-2000:], file=sys.stderr)
                return 1
        finally:
            shop.drop(database)
            shutil.rmtree(server.mail_dir, ignore_errors=True)


def _description(server, keys):
    return {
        "url": server.url,
        "db": server.database,
        "pid": server.process.pid,
        "mail_dir": str(server.mail_dir),
        "smtp_port": server.smtp_port,
        "users": [
            {"login": login, "password": login, "caldav_key": keys[login]} for login in LOGINS
        ],
    }
