"""Takes pictures of screens with Chrome, by its DevTools protocol.

Reads from standard input, as JSON: ``url`` of a running Odoo, ``folder`` for the PNG
files, and ``pictures`` as in ``picture_list.py``. Ends with 1 when one could not be taken.
"""

import base64
import contextlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket
from PIL import Image

SWITCHES = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-extensions", "--disable-background-networking", "--disable-translate",
    "--no-first-run", "--mute-audio", "--hide-scrollbars", "--remote-debugging-port=0",
    "--remote-allow-origins=*", "--lang=es-ES",
]  # fmt: skip
PROGRAMS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
#: Seconds until what a step waits for is there.
PATIENCE = 120
#: A picture shows what stands still.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; \
caret-color: transparent !important }"
#: The first visible element of a selector that holds a text.
FIND = """(selector, text) => [...document.querySelectorAll(selector)].find(
    (one) => one.getClientRects().length && one.textContent.includes(text))"""


class Browser:
    """Chrome, as context manager."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="pictures_")
        program = next(filter(shutil.which, PROGRAMS))
        self.process = subprocess.Popen(
            [program, *SWITCHES, f"--user-data-dir={self.home}", "about:blank"],
            stderr=subprocess.DEVNULL,
        )
        port_file = Path(self.home, "DevToolsActivePort")
        until(lambda: port_file.is_file() and port_file.read_text().count("\n"), "Chrome")
        port = port_file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
            page = next(one for one in json.load(answer) if one["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.number = 0
        for domain in ("Page", "Runtime", "Network"):
            self.ask(f"{domain}.enable")
        self.ask("Emulation.setLocaleOverride", locale="es-ES")
        self.ask("Emulation.setTimezoneOverride", timezoneId="Europe/Madrid")
        self.ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": "es-ES,es"})
        return self

    def __exit__(self, *_error):
        self.socket.close()
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.home, ignore_errors=True)

    def ask(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while (answer := json.loads(self.socket.recv())).get("id") != self.number:
            continue
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def run(self, expression):
        """The value of an expression of JavaScript; None while a page is being left."""
        answer = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        return answer["result"].get("value")

    # -- steps --------------------------------------------------------------------

    def open(self, address):
        self.ask("Page.navigate", url=address)
        until(lambda: self.run("document.readyState") == "complete", address)

    def wait(self, selector, text=""):
        until(lambda: self.run(f"!!({FIND})({json.dumps(selector)}, {json.dumps(text)})"),
              f"{selector} {text}")  # fmt: skip
        self.rest(0.2)

    def do(self, action, selector, text=""):
        self.wait(selector, text)
        self.run(
            f"{{ const one = ({FIND})({json.dumps(selector)}, {json.dumps(text)}); {action} }}"
        )
        self.rest(0.4)

    def click(self, selector, text=""):
        self.do("one.click()", selector, text)

    def top(self, selector, text=""):
        self.do("one.scrollIntoView({block: 'start'})", selector, text)

    def type(self, selector, text):
        self.do("one.focus(); one.select && one.select()", selector)
        self.ask("Input.insertText", text=text)
        self.do("one.dispatchEvent(new Event('change', {bubbles: true}))", selector)

    def rest(self, seconds):
        time.sleep(seconds)

    # -- pictures -----------------------------------------------------------------

    def log_in(self, url, login):
        self.ask("Network.clearBrowserCookies")
        # Odoo's page offers those who have logged in before.
        self.ask("Storage.clearDataForOrigin", origin=url, storageTypes="local_storage")
        if not login:
            return
        self.open(f"{url}/web/login")
        self.type("input[name='login']", login)
        self.type("input[name='password']", login)
        self.click(".oe_login_form button[type='submit']")
        self.wait(".o_main_navbar")

    def take(self, size, area):
        self.run(f"document.head.append(Object.assign(document.createElement('style'), "
                 f"{{textContent: {json.dumps(STILL)}}}))")  # fmt: skip
        with contextlib.suppress(TimeoutError):
            until(lambda: not self.run("!!document.querySelector('.o_loading_indicator')"), "", 5)
        self.rest(0.6)
        clip = {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}
        if area:
            box = self.run(f"({FIND})({json.dumps(area)}, '').getBoundingClientRect().toJSON()")
            clip.update({name: box[name] for name in ("x", "y", "width", "height")})
            clip["height"] = min(clip["height"], size[1] - max(clip["y"], 0))
        answer = self.ask("Page.captureScreenshot", format="png", clip=clip)
        return base64.b64decode(answer["data"])


def until(condition, what, seconds=PATIENCE):
    """:raises TimeoutError: with what did not come"""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)


def small(octets):
    """The same picture with 256 colours: a third of the size, and nobody sees it."""
    packed = io.BytesIO()
    image = Image.open(io.BytesIO(octets)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    return packed.getvalue()


def main():
    order = json.load(sys.stdin)
    failures = []
    with Browser() as browser:
        who = ()
        for picture in order["pictures"]:
            width, height = picture["size"]
            browser.ask(
                "Emulation.setDeviceMetricsOverride",
                width=width, height=height, deviceScaleFactor=1, mobile=False,
            )  # fmt: skip
            try:
                if picture["login"] != who:
                    browser.log_in(order["url"], picture["login"])
                    who = picture["login"]
                browser.open(picture["address"])
                for name, *words in picture["steps"]:
                    getattr(browser, name)(*words)
                octets = small(browser.take(picture["size"], picture["area"]))
                Path(order["folder"], f"{picture['name']}.png").write_bytes(octets)
                print(f"  {picture['name']}.png  {len(octets) // 1024} kB", file=sys.stderr)
            except (TimeoutError, RuntimeError) as error:
                failures.append(picture["name"])
                found = Path(tempfile.gettempdir(), f"not_{picture['name']}.png")
                found.write_bytes(browser.take(picture["size"], None))
                print(f"  {picture['name']}: no {error}; see {found}", file=sys.stderr)
                who = ()
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
