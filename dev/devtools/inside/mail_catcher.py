"""A real SMTP server that keeps what it gets, and shows it on a small page.

Usage: ``mail_catcher.py FOLDER SMTP_PORT PAGE_PORT``. Prints one line of JSON with its ports, then
runs until it is ended. Each message is one ``.eml`` file in the folder.
"""

import contextlib
import email
import email.policy
import html
import http.server
import json
import sys
import threading
import time
from pathlib import Path

from aiosmtpd.controller import Controller

FOLDER = Path(sys.argv[1])
COUNTER = iter(range(1, 10**9))


class Keep:
    """Writes each message to a file, under a name that appears all at once."""

    async def handle_DATA(self, _server, _session, envelope):
        name = f"{time.time_ns()}-{next(COUNTER):05d}.eml"
        hidden = FOLDER / f".{name}"
        recipients = ", ".join(envelope.rcpt_tos)
        header = f"X-Envelope-To: {recipients}\r\n".encode()
        hidden.write_bytes(header + envelope.original_content)
        hidden.rename(FOLDER / name)
        return "250 OK"


def messages():
    """(file name, message), newest first."""
    for path in sorted(FOLDER.glob("*.eml"), reverse=True):
        yield path.name, email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def moment(message):
    """When the message was written, on this machine's clock."""
    date = message["date"]
    return f"{date.datetime.astimezone():%d/%m/%Y %H:%M:%S}" if date else ""


HEADINGS = {
    "From": "De",
    "To": "Para",
    "Reply-To": "Responder a",
    "Subject": "Asunto",
    "Date": "Fecha",
    "Auto-Submitted": "Auto-Submitted",
}


class Page(http.server.BaseHTTPRequestHandler):
    """The list of messages, and each one as its reader would see it."""

    def do_GET(self):
        known = dict(messages())
        name = self.path.strip("/")
        if not name:
            rows = "".join(
                f"<tr><td>{moment(m)}</td><td>{html.escape(str(m['to']))}</td>"
                f"<td><a href='/{key}'>{html.escape(str(m['subject']))}</a></td></tr>"
                for key, m in known.items()
            )
            empty = "" if rows else "<p>Todavía no ha llegado nada.</p>"
            self.answer(f"<h1>Correo recibido</h1>{empty}<table>{rows}</table>", refresh=True)
        elif name in known:
            message = known[name]
            head = "".join(
                f"<tr><th>{heading}</th><td>{html.escape(text)}</td></tr>"
                for key, heading in HEADINGS.items()
                if (text := moment(message) if key == "Date" else str(message[key] or ""))
            )
            part = message.get_body(("html", "plain"))
            text = part.get_content() if part else ""
            if part and part.get_content_subtype() == "plain":
                text = f"<pre>{html.escape(text)}</pre>"
            # The frame has no rights: a mail's scripts and forms stay dead. Its
            # links open a page of their own.
            text = html.escape(f"<base target='_blank'>{text}", quote=True)
            rights = "allow-popups allow-popups-to-escape-sandbox"
            frame = f'<iframe sandbox="{rights}" srcdoc="{text}"></iframe>'
            self.answer(f"<p><a href='/'>Todo el correo</a></p><table>{head}</table>{frame}")
        else:
            self.send_error(404)

    def answer(self, body, refresh=False):
        meta = "<meta http-equiv='refresh' content='3'>" if refresh else ""
        page = (
            f"<!doctype html><html lang='es'><meta charset='utf-8'>{meta}"
            "<title>Correo recibido</title><style>body{font:16px sans-serif;margin:2em;"
            "max-width:60em}td,th{vertical-align:top;padding:.3em 1em .3em 0;text-align:left}"
            "iframe{width:100%;height:70vh;border:1px solid #999}</style>" + body
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_args):
        pass


FOLDER.mkdir(parents=True, exist_ok=True)
controller = Controller(Keep(), hostname="127.0.0.1", port=int(sys.argv[2]))
controller.start()
page = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[3])), Page)
print(json.dumps({"smtp_port": int(sys.argv[2]), "page": page.server_address[1]}), flush=True)
threading.Thread(target=page.serve_forever, daemon=True).start()
with contextlib.suppress(KeyboardInterrupt):
    threading.Event().wait()
