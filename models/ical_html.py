"""Plain text from a file as HTML, and a description's HTML as plain text."""

import re

from markupsafe import Markup, escape

from odoo.tools import html2plaintext, is_html_empty

#: What only a reader of HTML understands, or leaves out.
_BEYOND = re.compile("[<>&\r\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
#: What it does not leave as it stands; a signature and a quotation are marked.
_UNUSUAL = re.compile("--|&gt;|[\r\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u2028-\uffff]")
_BOLD = re.compile("<strong>([^<>]+)</strong>")
_LINK = re.compile('<a href="([^"<>&]+)"[^<>&]*>([^<>&]+)</a>')
_ENTITIES = {"&gt;": ">", "&lt;": "<", "&amp;": "&"}
_ENTITY = re.compile("&(?:gt|lt|amp);")


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


def as_saved(html, clean):
    """HTML of ``html_of`` as a field saves it.

    :param clean: what the field cleans with; it takes longer than the rest of a meeting,
        and of what is mere text it knows nothing else
    """
    html = str(html)
    if _UNUSUAL.search(html):
        return clean(html)
    return html.replace("<br/>", "<br>").replace("&#39;", "'").replace("&#34;", '"')


def plain_text(html):
    """What Odoo's ``html2plaintext`` says; what most descriptions consist of needs no reader.

    That is paragraphs, and what Odoo adds to them of each meeting: whom it is with.

    :param str html: as it is saved in a field, or False
    """
    if is_html_empty(html):
        return ""
    links = []
    text = _paragraphs(_marked(str(html), links))
    if text is None:
        return html2plaintext(html).strip()
    text = text.replace("  ", " ")
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    # The end of the document is a blank, which is a line of its own after a line's end.
    lines = [line.strip() for line in f"{text} ".splitlines()]
    text = "\n".join(lines).replace("\n\n", "\n")
    if links:
        text += "\n\n" + "".join(f"[{n}] {link}\n" for n, link in enumerate(links, start=1))
    return text.strip()


def _marked(html, links):
    """Bold text and links as text has them; the addresses are appended to the list."""

    def mark(link):
        links.append(link[1])
        return f" {link[2]} [{len(links)}] "

    return _LINK.sub(mark, _BOLD.sub(r"*\1*", html))


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
    return None if _BEYOND.search(_ENTITY.sub("", text)) else text
