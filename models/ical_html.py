"""Text from a file as HTML that says the same, and does nothing."""

from markupsafe import Markup, escape


def html_of(text):
    """Paragraphs and line breaks; whatever looks like HTML is shown as it stands.

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
