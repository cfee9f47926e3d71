"""Odoo's external interface, as a program of a customer would use it."""

import xmlrpc.client


class Session:
    """A user's session by XML-RPC; each call is a request and a transaction."""

    def __init__(self, url, database, login, password):
        self.database, self.password, self.login = database, password, login
        common = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common")
        self.uid = common.authenticate(database, login, password, {})
        if not self.uid:
            raise PermissionError(login)
        self._object = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/object", allow_none=True)

    def call(self, model, method, *args, **kwargs):
        try:
            return self._object.execute_kw(
                self.database, self.uid, self.password, model, method, args, kwargs
            )
        except xmlrpc.client.Fault as fault:
            if "cannot marshal None" not in fault.faultString:
                raise
            # What was asked is done and committed: XML-RPC has no word for its answer.
            return None
