"""``./dev/run``: the demo for people, in Spanish, on this machine."""

import argparse
import shutil
import time

from . import staging, stories
from .paths import ADDON, checkout_name, state_dir, subdir
from .say import SetupError, say, step
from .server import Server
from .workshop import workshop

TRY = """
  Odoo            {url}
  Correo recibido {mail}     (todo lo que Odoo envía acaba aquí, nada sale de esta máquina)

  Usuario   Contraseña   Quién es
  ana       ana          directora comercial: escribe reglas
  luis      luis         comercial
  marta     marta        comercial (Canarias)
  admin     admin        administrador

What to try (Qué probar):
  1. Entra como «luis». CRM / Leads: abre «Etiquetas para la vendimia» y pulsa
     «Convertir en oportunidad». En segundos su correo está en {mail}
  2. Entra como «ana». Ventas / Configuración / Acciones automáticas:
     «Acciones automatizadas» (la regla) y «Registro de ejecuciones» (qué hizo y por qué).

Ctrl-C stops everything. ./dev/run --reset starts afresh. Log: {log}
"""


def main(arguments):
    parser = argparse.ArgumentParser(prog="./dev/run", description=__doc__)
    parser.add_argument("--reset", action="store_true", help="start with a fresh demo database")
    parser.add_argument(
        "--check", action="store_true", help="play the mission's stories without a browser"
    )
    parser.add_argument("--port", type=int, default=8069)
    options = parser.parse_args(arguments)
    with workshop() as shop:
        if options.check:
            return _check(shop, options.port)
        database = _demo_database(shop, options.reset)
        with Server(shop, database, options.port) as server:
            say(TRY.format(url=server.url, mail=server.mail_page, log=server.log))
            while server.process.poll() is None:
                time.sleep(0.5)
            raise SetupError(f"Odoo ended by itself; see {server.log}")


def _demo_database(shop, reset):
    """The demo's database: kept between runs, updated when the addon changed."""
    database = f"demo_{checkout_name()}"
    marker = state_dir() / f"{database}.digest"
    digest = f"{staging.addon_digest()} {shop.full_template()}"
    exists = database in shop.cluster.databases()
    known = marker.read_text() if marker.exists() else ""
    if reset or not exists or known.split()[-1:] != digest.split()[-1:]:
        application = shop.application()
        with step("Making the demo database", "5 s"):
            shop.copy(application, database)
            # The old mails lead to records that are gone.
            shutil.rmtree(subdir("mail", database))
    elif known != digest:
        with step("Bringing the demo database up to date", "15 s"):
            shop.odoo_once(database, f"--update={ADDON}")
    marker.write_text(digest)
    return database


def _check(shop, port):
    database = f"check_{checkout_name()}"
    shop.copy(shop.application(), database)
    try:
        with Server(shop, database, port) as server:
            server.forget_mail()
            return 0 if stories.play(server) else 1
    finally:
        shop.drop(database)
