"""Odoo's external interface, as a program of a customer would use it."""

import xmlrpc.client


class Once(xmlrpc.client.Transport):
    """Sends each request once, on a connection of its own.

    What the library would send again after a lost connection may have been done.

    :param float seconds: that an answer is waited for; None: for ever
    """

    def __init__(self, seconds=None):
        super().__init__()
        self.seconds = seconds

    def request(self, *args, **kwargs):
        self.close()
        return self.single_request(*args, **kwargs)

    def make_connection(self, host):
        connection = super().make_connection(host)
        if self.seconds:
            connection.timeout = self.seconds
        return connection


class Session:
    """A user's session by XML-RPC; each call is a request and a transaction.

    :param float seconds: that an answer is waited for; None: for ever
    """

    def __init__(self, url, database, login, password, seconds=None):
        self.database, self.password, self.login = database, password, login
        common = xmlrpc.client.ServerProxy(f"{url}/xmlrpc/2/common", Once(seconds))
        self.uid = common.authenticate(database, login, password, {})
        if not self.uid:
            raise PermissionError(login)
        self._object = xmlrpc.client.ServerProxy(
            f"{url}/xmlrpc/2/object", Once(seconds), allow_none=True
        )

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
