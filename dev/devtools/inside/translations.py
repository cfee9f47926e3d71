"""Terms of the addon against i18n/: complete, current; ``--update`` renews them.

Usage: ``translations.py I18N_FOLDER [--update]``. Exit 1 where a term has no
Spanish text, is fuzzy, or where the template is not what Odoo exports.
"""

import io
import sys
from pathlib import Path

import polib

from odoo.tools.translate import trans_export

import session

ADDON = "crm_automation"
FOLDER = Path(sys.argv[1])
POT = FOLDER / f"{ADDON}.pot"
UPDATE = "--update" in sys.argv


def exported():
    """The terms as Odoo exports them, sorted so that a change is a small diff."""
    buffer = io.BytesIO()
    with session.environment() as env:
        trans_export(None, [ADDON], buffer, "po", env)
    terms = polib.pofile(buffer.getvalue().decode())
    for entry in terms:
        # A position, not the line number of each day.
        entry.occurrences = sorted((name, "0") for name, _line in entry.occurrences)
    terms.sort(key=lambda entry: entry.msgid)
    terms.metadata = {
        "Project-Id-Version": "Odoo Server 19.0",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return terms


def merge(template, path, language):
    """The language's file with the template's terms; old texts are kept."""
    old = {e.msgid: e.msgstr for e in polib.pofile(str(path))} if path.exists() else {}
    merged = polib.POFile()
    merged.metadata = {**template.metadata, "Language": language}
    for entry in template:
        merged.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgstr=old.get(entry.msgid, ""),
                occurrences=entry.occurrences,
                comment=entry.comment,
                flags=[flag for flag in entry.flags if flag != "fuzzy"],
            )
        )
    merged.save(str(path))


session.start()
template = exported()
spanish = FOLDER / "es.po"
if UPDATE:
    FOLDER.mkdir(exist_ok=True)
    template.save(str(POT))
    merge(template, spanish, "es")
problems = []
committed = {e.msgid for e in polib.pofile(str(POT))} if POT.exists() else set()
translated = polib.pofile(str(spanish)) if spanish.exists() else polib.POFile()
wanted = {entry.msgid for entry in template}
problems += [f"not in {POT.name}: {term!r}" for term in sorted(wanted - committed)]
problems += [f"in {POT.name}, but no longer used: {term!r}" for term in sorted(committed - wanted)]
problems += [f"not in es.po: {t!r}" for t in sorted(wanted - {e.msgid for e in translated})]
problems += [f"no Spanish text: {e.msgid!r}" for e in translated.untranslated_entries()]
problems += [f"fuzzy: {e.msgid!r}" for e in translated.fuzzy_entries()]
print("\n".join(problems) or f"{len(wanted)} terms, all in Spanish")
sys.exit(bool(problems))
