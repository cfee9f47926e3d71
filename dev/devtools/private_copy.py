"""A copy of the demo on a PostgreSQL cluster of its own, for what is to be broken."""

import contextlib
import copy
import fcntl
import os
import shutil

from . import postgres
from .paths import subdir
from .say import SetupError, step

#: A crash must lose nothing that was committed: here commits wait for the log.
SETTINGS = f"{postgres.SETTINGS}synchronous_commit = on\n"


@contextlib.contextmanager
def private_copy(shop, name, settings=postgres.SETTINGS):
    """The workshop with a cluster that is made for this run, and removed after it.

    :param str name: of the cluster, and of the database in it
    :param str settings: of the cluster
    :raises SetupError: when another run of this name is going on
    """
    with (subdir() / f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"{name}: another one of this checkout is running.") from None
        application = shop.application()
        postgres.Cluster(name, settings).remove()
        cluster = postgres.Cluster(name, settings)
        private = copy.copy(shop)
        private.cluster = cluster
        try:
            cluster.start()
            with step("Copying the demo database", "15 s"):
                cluster.fetch(shop.cluster, application, name)
                files = shop.filestore(application)
                if files.is_dir():
                    shutil.copytree(
                        files, shop.filestore(name), copy_function=os.link, dirs_exist_ok=True
                    )
            yield private
        finally:
            cluster.remove()
            shutil.rmtree(shop.filestore(name), ignore_errors=True)
