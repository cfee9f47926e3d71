"""What the RFCs ask of a server, asked of Odoo over HTTP, in the octets of the row."""

from odoo.tests import tagged

from .dav import DavCase
from .over_http import OverHttp
from .rows import ROWS


@tagged("post_install", "-at_install")
class TestRows(DavCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seller.tz = "Europe/Madrid"
        members = [(6, 0, (cls.seller + cls.other_seller).ids)]
        cls.team = cls.env["crm.team"].create({"name": "North", "member_ids": members})


def _test(row):
    def test(self):
        row.ask(OverHttp(self, f"team-{self.team.id}"))

    test.__doc__ = f"{row.says}: {row.ask.__doc__}"
    return test


for _row in ROWS:
    setattr(TestRows, f"test_{_row.name}", _test(_row))
