"""What the screens say for themselves: fields tell what they are for, pictures have words.

The definitions of models are read as text and held against the views, so nothing here
needs Odoo. Fields that Odoo or another app defines are not the addon's to explain.
"""

import ast
import functools
import re
from collections import ChainMap
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[1]
VIEWS = sorted((ROOT / "views").glob("*.xml"))
TEMPLATES = sorted((ROOT / "static" / "src").rglob("*.xml"))
#: Elements that show the rows of the field that stands around them.
SUBVIEWS = {"activity", "calendar", "form", "graph", "kanban", "list", "pivot"}
#: Pages of other apps' forms that show rows of a model which the addon extends.
PAGES = {"page_invitations": "calendar.attendee"}
#: (model, field) of another app, of which the addon changes something.
FOREIGN = {
    ("calendar.alarm", "alarm_type"),
    ("calendar.attendee", "partner_id"),
    ("calendar.attendee", "state"),
    ("calendar.event", "start"),
    ("calendar.event", "stop"),
}
HIDDEN = {"1", "True", "true"}
#: Attributes that hold an icon, and those of which one has to say what a picture means.
CLASSES = ("class", "t-att-class", "t-attf-class")
WORDS = ("title", "aria-label", "alt", "t-att-title", "t-att-aria-label", "t-att-alt")


class Field(NamedTuple):
    """What the definitions of a field say.

    :param str comodel: the model of a relation's rows
    :param str related: path to the field that explains it where it has no help
    :param str label: as far as it is written out
    :param str help: as far as it is written out
    """

    comodel: str
    related: str
    label: str
    help: str


def _text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _field(call):
    kind, words = call.func.attr, {word.arg: word.value for word in call.keywords}
    place = {"Selection": 1, "Many2one": 1, "One2many": 2, "Many2many": 4}.get(kind, 0)
    label = call.args[place] if len(call.args) > place else words.get("string")
    is_relation = kind in ("Many2one", "One2many", "Many2many")
    return Field(
        comodel=_text(call.args[0]) if is_relation and call.args else "",
        related=_text(words.get("related")),
        label=_text(label),
        help=_text(words.get("help")),
    )


def _join(newer, older):
    """One field of two definitions, as Odoo puts them together."""
    if not older:
        return newer
    return Field(*(new or old for new, old in zip(newer, older, strict=True)))


def _calls(value):
    """The definition of each of the names that a line assigns."""
    return value.elt if isinstance(value, ast.GeneratorExp) else value


def _model(node):
    """Of a class: the model's name, what else it inherits from, its fields."""
    said = {
        name.id: _calls(line.value)
        for line in node.body
        if isinstance(line, ast.Assign)
        for target in line.targets
        for name in getattr(target, "elts", [target])
    }
    inherited = ast.literal_eval(said["_inherit"]) if "_inherit" in said else []
    inherited = [inherited] if isinstance(inherited, str) else inherited
    name = ast.literal_eval(said["_name"]) if "_name" in said else next(iter(inherited), None)
    fields = {
        field: _field(value)
        for field, value in said.items()
        if isinstance(value, ast.Call) and ast.unparse(value.func).startswith("fields.")
    }
    return name, [parent for parent in inherited if parent != name], fields


@functools.cache
def _definitions():
    """Model to (the fields that it defines itself, the models that it inherits from)."""
    found = {}
    for path in [*(ROOT / "models").glob("*.py"), *(ROOT / "wizards").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                name, inherited, fields = _model(node)
                known, parents = found.setdefault(name, ({}, set()))
                known.update({key: _join(new, known.get(key)) for key, new in fields.items()})
                parents.update(inherited)
    return found


@functools.cache
def _fields(model):
    """The fields that the addon defines for a model, by name."""
    own, parents = _definitions().get(model, ({}, ()))
    older = ChainMap(*map(_fields, sorted(parents)))
    return {**older, **{name: _join(field, older.get(name)) for name, field in own.items()}}


def _rows(model, name):
    """The model of the rows of a field; None where another app says it."""
    field = _fields(model).get(name)
    return field.comodel if field else None


def _shown(element, model):
    """(model, field) of what a view shows.

    :param element: of the view, or of the changes to another one
    :param model: None where another app says it
    """
    if element.get("invisible") in HIDDEN or element.get("column_invisible") in HIDDEN:
        return
    if element.tag == "field":
        name = element.get("name")
        if "position" not in element.attrib and element.get("widget") != "handle":
            yield model, name
        for child in element:
            yield from _shown(child, _rows(model, name) if child.tag in SUBVIEWS else model)
        return
    if element.tag == "xpath":
        model = _place(element.get("expr"), model)
    for child in element:
        # Beside its cards, a kanban only reads.
        if element.tag != "kanban" or child.tag != "field":
            yield from _shown(child, model)


def _place(expr, model):
    """The model of the place where an ``xpath`` puts what it holds."""
    page = re.match(r"//page\[@name='(\w+)'\]//", expr)
    if page:
        return PAGES[page[1]]
    for name in re.findall(rf"field\[@name='(\w+)'\]//?(?:{'|'.join(SUBVIEWS)})\b", expr):
        model = _rows(model, name)
    return model


def _views(path):
    """(model, view) of a file."""
    for record in ElementTree.parse(path).iter("record"):
        if record.get("model") == "ir.ui.view":
            model = record.findtext("field[@name='model']")
            for arch in record.iterfind("field[@name='arch']"):
                yield from ((model, element) for element in arch)


def _shown_in(path):
    return {field for model, view in _views(path) for field in _shown(view, model)}


def _is_explained(model, name):
    """Whether a field has a help, or is not the addon's."""
    field = _fields(model).get(name)
    if not field or field.help or (model, name) in FOREIGN:
        return True
    if not field.related:
        return False
    *path, last = field.related.split(".")
    for step in path:
        model = _rows(model, step)
    return _is_explained(model, last)


def _names(found):
    return sorted(f"{model}: {name}" for model, name in found)


def test_the_views_are_understood():
    """Of a view that was read wrongly nothing would be asked."""
    shown = set().union(*map(_shown_in, VIEWS))
    assert ("crm.automation.rule", "name") in shown
    assert ("crm.automation.rule.value", "field_id") in shown, "a list within a form"
    assert ("calendar.attendee", "role") in shown, "a page of another app"
    assert not _names((model, name) for model, name in shown if not model)
    assert FOREIGN <= shown, "an exception that is no longer needed"


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_a_field_that_is_shown_tells_what_it_is_for(path):
    assert not _names(field for field in _shown_in(path) if not _is_explained(*field))


def test_a_help_says_more_than_the_label():
    same = set()
    for model in _definitions():
        for name, field in _fields(model).items():
            label = field.label or name.removesuffix("_ids").removesuffix("_id").replace("_", " ")
            if field.help.strip(" .").lower() == label.lower():
                same.add((model, name))
    assert not _names(same)


@pytest.mark.parametrize("path", [*VIEWS, *TEMPLATES], ids=lambda path: path.stem)
def test_a_picture_has_words(path):
    """For those who do not see it: icons, pictures, and buttons that are nothing else.

    In a component, what stands beside the words that say the same is hidden from them.
    """
    mute = []
    for element in ElementTree.parse(path).iter():
        if any(element.get(name) for name in WORDS) or element.get("aria-hidden") == "true":
            continue
        is_icon = re.search(r"\bfa-", " ".join(element.get(name, "") for name in CLASSES))
        is_image = element.tag == "img" or element.get("widget") == "image"
        has_words = element.get("string") or list(element) or (element.text or "").strip()
        is_bare = element.tag == "button" and element.get("icon") and not has_words
        if is_image or is_bare or (is_icon and not has_words):
            mute.append(ElementTree.tostring(element, "unicode").strip())
    assert not mute
