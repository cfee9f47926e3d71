"""Make the bundles of scripts and styles, and keep them.

A browser test would make them in its own transaction, which is taken back: each of them
anew, while the browser's other requests wait for it, and give up after 20 seconds.
"""

import session


def main():
    session.start()
    with session.environment() as env:
        env["ir.qweb"]._pregenerate_assets_bundles()


if __name__ == "__main__":
    main()
