"""The addon's requirements leave Odoo alone."""

import importlib.util
from unittest.mock import patch

from odoo.tests import BaseCase, tagged

from .. import hooks


@tagged("post_install", "-at_install")
class TestRequirements(BaseCase):
    def test_outgoing_mail_still_imports(self):
        # This is what fails where urllib3-future has replaced urllib3.
        from urllib3.contrib.pyopenssl import PyOpenSSLContext

        import odoo.addons.base.models.ir_mail_server  # noqa: F401

        self.assertTrue(PyOpenSSLContext)
        self.assertFalse(importlib.util.find_spec("urllib3_future"))
        self.assertFalse(importlib.util.find_spec("niquests"))

    def test_a_replaced_urllib3_is_said(self):
        # The real thing would break this very process, so the two facts that
        # the check looks at are made: the package is there, the import fails.
        with (
            patch.object(hooks.importlib.util, "find_spec", return_value=object()),
            patch.dict("sys.modules", {"urllib3.contrib.pyopenssl": None}),
            self.assertLogs(hooks._logger, "ERROR") as caught,
        ):
            hooks.check_urllib3()
        self.assertIn("pip uninstall -y niquests urllib3-future", caught.output[0])
