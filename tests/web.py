"""A web server of our own, with whatever answers a test wants."""

import contextlib
import datetime
import http.server
import ipaddress
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Web:
    """``answers`` maps a path to a function of the handler; ``asked`` is what came."""

    def __init__(self, server):
        self.answers, self.asked = {}, []
        self.port = server.server_address[1]

    def url(self, path="/", host="127.0.0.1", scheme="http", login=""):
        return f"{scheme}://{login}{host}:{self.port}{path}"

    def say(self, path, body=b"", status=200, **headers):
        """Let this path have this answer."""

        def answer(handler):
            send(handler, status, body, headers)

        self.answers[path] = answer


def send(handler, status, body, headers):
    handler.send_response_only(status)
    for name, value in {"Content_Length": len(body), **headers}.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.web.asked.append((self.path, dict(self.headers)))
        # A client that has seen enough hangs up.
        with contextlib.suppress(OSError):
            self.server.web.answers[self.path](self)

    def log_message(self, *_args):
        """Quiet."""


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_args):
        """A client that refuses the certificate hangs up."""


@contextlib.contextmanager
def serving(certificate=None):
    """A server on this machine; with a path of a certificate and its key, over TLS."""
    server = Server(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        # Not at accept: one slow handshake would hold all others.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.web = Web(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        server.server_close()


def certificate_for(path, *names):
    """Write a certificate that nobody has signed but itself, for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    found = [
        x509.IPAddress(ipaddress.ip_address(one)) if one[0].isdigit() else x509.DNSName(one)
        for one in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName(found), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)
