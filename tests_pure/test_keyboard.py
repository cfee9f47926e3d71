"""Screens without a mouse: what can be clicked can be reached and pressed by the keyboard.

What is seen and pressed in a browser is ``tests/test_phone.py``'s business.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
VIEWS = sorted((ROOT / "views").glob("*.xml"))
TEMPLATES = sorted((ROOT / "static" / "src").rglob("*.xml"))
STYLES = sorted((ROOT / "static" / "src").rglob("*.scss"))
#: Elements that the keyboard reaches and presses by themselves.
PRESSED = {"button", "input", "select", "summary", "textarea"}
#: Modifiers of Odoo's keyboard shortcuts, as its own dialogs have them.
CONFIRM, CLOSE = "q", "x"


def _file(path):
    return path.relative_to(ROOT).as_posix()


def _handler(element, event):
    """Whether something is done at an event, with or without a modifier (``.stop``)."""
    return any(name.split(".")[0] == f"t-on-{event}" for name in element.keys())


def _unreachable(root):
    """The clickable elements of a template that the keyboard does not reach.

    What is no button, link or input needs a role, a place in the order and a key.
    """
    for element in root.iter():
        if not _handler(element, "click"):
            continue
        is_link = element.tag == "a" and {"href", "t-att-href", "t-attf-href"} & {*element.keys()}
        is_made_one = (
            element.get("role")
            and (element.get("tabindex") or element.get("t-att-tabindex"))
            and _handler(element, "keydown")
        )
        if not (element.tag in PRESSED or is_link or is_made_one):
            yield ElementTree.tostring(element, "unicode").split(">")[0]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('<button t-on-click="go" />', 0),
        ('<a href="/odoo" t-on-click="go" />', 0),
        ('<a t-on-click="go" />', 1),
        ('<div><span t-on-click.stop="go" /></div>', 1),
        ('<div role="button" tabindex="0" t-on-click="go" t-on-keydown="press" />', 0),
        ('<div role="button" tabindex="0" t-on-click="go" />', 1),
    ],
)
def test_what_is_looked_for(text, count):
    assert len([*_unreachable(ElementTree.fromstring(text))]) == count


@pytest.mark.parametrize("path", [*TEMPLATES, *VIEWS], ids=_file)
def test_what_is_clicked_can_be_pressed(path):
    assert not [*_unreachable(ElementTree.parse(path).getroot())]


@pytest.mark.parametrize("path", [*STYLES, *TEMPLATES, *VIEWS], ids=_file)
def test_the_focus_is_not_hidden(path):
    assert not re.findall(r"outline(?:-width|-style)?\s*:\s*(?:none|0)\b", path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=_file)
def test_the_order_of_the_page_is_that_of_the_keyboard(path):
    numbers = [element.get("tabindex") for element in ElementTree.parse(path).iter()]
    assert not [number for number in numbers if number and int(number) > 0]


def _wizards():
    """Models of dialogs."""
    text = "".join(path.read_text() for path in (ROOT / "wizards").glob("*.py"))
    return set(re.findall(r'^    _name = "([\w.]+)"', text, re.MULTILINE))


def _forms():
    """(file, model, form) of the addon's own."""
    for path in VIEWS:
        for record in ElementTree.parse(path).iter("record"):
            for form in record.iterfind("field[@name='arch']/form"):
                yield _file(path), record.findtext("field[@name='model']"), form


def test_the_wizards_are_known():
    models = {model for _path, model, _form in _forms()}
    assert {"calendar.invite", "caldav.setup", "crm.automation.rule.test"} <= models & _wizards()


def test_the_buttons_of_wizards_have_shortcuts():
    """q does what the dialog is for, x closes it, as in Odoo's own."""
    wrong = []
    for path, model, form in _forms():
        footer = form.find(".//footer")
        if model not in _wizards() and footer is None:
            continue
        where = f"{path}: {model}"
        buttons = list(form.iter("button"))
        closing = [button for button in buttons if button.get("special") == "cancel"]
        doing = [
            button for button in buttons
            if re.search(r"\bbtn-(primary|danger)\b", button.get("class", ""))
            and button not in closing
        ]  # fmt: skip
        wrong += [where for button in closing if button.get("data-hotkey") != CLOSE]
        wrong += [where for button in doing[:1] if button.get("data-hotkey") != CONFIRM]
        wrong += [where for button in doing if not button.get("data-hotkey")]
    assert not wrong


def test_a_shortcut_is_for_one_thing():
    """Buttons of one form that are shown at the same time have different ones.

    Of those that are never shown together the names of the methods are the same.
    """
    for path, model, form in _forms():
        keys = {}
        for button in form.iter("button"):
            if key := button.get("data-hotkey"):
                keys.setdefault(key, set()).add(button.get("name") or button.get("special"))
        assert all(len(names) == 1 for names in keys.values()), f"{path}: {model}: {keys}"
