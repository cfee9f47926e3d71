"""Make the bundles of scripts and styles, and keep them.

A browser test would make them in its own transaction, which is taken back: each of them
anew, while the browser's other requests wait for it, and give up after 20 seconds.
"""

import session

#: Words in the names of bundles that no browser test of ours asks for: Odoo's own tests,
#: dark screens, reports, pages of other addons.
NOT_OURS = ("unit_tests", "qunit", "tests_assets", "dark", "report", "public", "project", "survey")
#: What the web client fetches by itself when it comes to need it.
LATER = (
    "bus.websocket_worker_assets",
    "web.assets_backend_lazy",
    "web.chartjs_lib",
    "web.fullcalendar_lib",
    "web_tour.automatic",
)


def main():
    session.start()
    with session.environment() as env:
        bundles = env["ir.qweb"]
        scripts, styles = bundles._get_bundles_to_pregenarate()
        for name in sorted({*filter(is_ours, scripts), *LATER}):
            bundles._get_asset_bundle(name, css=False, js=True).js()
        for name in sorted({*filter(is_ours, styles), *LATER}):
            bundle = bundles._get_asset_bundle(name, css=True, js=False)
            if bundle.stylesheets:
                bundle.css()


def is_ours(name):
    return not any(word in name for word in NOT_OURS)


if __name__ == "__main__":
    main()
