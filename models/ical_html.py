"""Plain text from a file as HTML, and a description's HTML as plain text."""

import re

from markupsafe import Markup, escape

from odoo.tools import html2plaintext, is_html_empty

#: What only a reader of HTML understands, or leaves out.
_BEYOND = re.compile("[<>&\r\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def html_of(text):
    """HTML that says the same, and does nothing: whatever looks like HTML is shown as it stands.

    >>> html_of("a <b>\\nc")
    Markup('<p>a &lt;b&gt;<br/>c</p>')
    """
    text = (text or "").strip().replace("\r\n", "\n")
    if not text:
        return Markup("")
    paragraphs = [part for part in text.split("\n\n") if part.strip()]
    return Markup("").join(
        Markup("<p>%s</p>") % Markup("<br/>").join(escape(line) for line in part.split("\n"))
        for part in paragraphs
    )


def plain_text(html):
    """What Odoo's ``html2plaintext`` says; mere paragraphs need no reader of HTML.

    :param str html: as it is saved in a field, or False
    """
    if is_html_empty(html):
        return ""
    text = _paragraphs(str(html))
    if text is None:
        return html2plaintext(html).strip()
    lines = [line.strip() for line in text.replace("  ", " ").splitlines()]
    return "\n".join(lines).replace("\n\n", "\n").strip()


def _paragraphs(html):
    """Lines of text out of ``<p>…</p>`` and ``<br>``; None when there is anything else."""
    if html.startswith("<div>") and html.endswith("</div>"):
        # What Odoo puts around them when they are saved.
        html = html[5:-6]
    before, *paragraphs = html.replace("<br>", "\n").replace("<br/>", "\n").split("<p>")
    if before.strip():
        return None
    parts = []
    for paragraph in paragraphs:
        inside, end, after = paragraph.partition("</p>")
        if not end:
            return None
        # One without anything in it ends no line.
        parts += [" ", inside, "\n" if inside else "", after]
    text = "".join(parts)
    return None if _BEYOND.search(text) else text
