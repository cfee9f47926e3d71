"""An attendee of Odoo as ATTENDEE (RFC 5545, 3.8.4.1), and back. Plain Python."""

from typing import NamedTuple

from odoo.tools import SQL, email_normalize

from ..ical.items import Attendee
from .short_address import short_address

#: PARTSTAT (3.2.12), ROLE (3.2.16) and CUTYPE (3.2.3) by Odoo's values.
STATUSES = {
    "accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE",
    "delegated": "DELEGATED", "needsAction": "NEEDS-ACTION",
}  # fmt: skip
ROLES = {
    "chair": "CHAIR", "req-participant": "REQ-PARTICIPANT",
    "opt-participant": "OPT-PARTICIPANT", "non-participant": "NON-PARTICIPANT",
}  # fmt: skip
KINDS = {
    "individual": "INDIVIDUAL", "group": "GROUP", "resource": "RESOURCE", "room": "ROOM",
    "unknown": "UNKNOWN",
}  # fmt: skip
STATES = {word: state for state, word in STATUSES.items()}
#: Characters of an address in a directory.
MAX_URI = 1000
#: Columns of an attendee that are in the text, in the order of ``Facts``.
COLUMNS = (
    "partner_id", "address", "address_name", "state", "role", "cutype", "rsvp", "language",
    "member", "sent_by", "directory",
)  # fmt: skip
#: Groups that an attendee is invited with, and delegates of one: a series has them in each
#: of its meetings.
MAX_MEMBERS = 20
_DELEGATIONS = ("delegated_to_ids", "delegated_from_ids")
_ROLE_OF = {word: role for role, word in ROLES.items()}
_KIND_OF = {word: kind for kind, word in KINDS.items()}


class Facts(NamedTuple):
    """What one attendee's line says, but for the name and address of his contact."""

    partner_id: int  # 0 for an address alone
    address: str
    address_name: str
    state: str
    role: str
    cutype: str
    rsvp: bool
    language: str
    member: str
    sent_by: str
    directory: str
    delegated_to: tuple
    delegated_from: tuple


def facts_of(guests):
    """The facts of attendees, read at once and without their rules: dict by id.

    A record costs ten times what its row does, and calendars have many guests.
    """
    guests.flush_model([*COLUMNS, *_DELEGATIONS])
    columns = SQL(", ").join(map(SQL.identifier, COLUMNS))
    rows = guests.env.execute_query(
        SQL("SELECT id, %s FROM calendar_attendee WHERE id = ANY(%s)", columns, list(guests._ids))
    )
    delegations = _delegations_of(guests)
    return {key: _facts(*row, *delegations.get(key, ((), ()))) for key, *row in rows}


def _facts(
    partner_id,
    address,
    name,
    state,
    role,
    cutype,
    rsvp,
    language,
    member,
    sent_by,
    directory,
    *delegations,
):
    return Facts(
        partner_id or 0, address or "", name or "", state or "needsAction", role, cutype,
        bool(rsvp), language or "", member or "", sent_by or "", directory or "",
        *delegations,
    )  # fmt: skip


def _delegations_of(guests):
    """(addresses delegated to, delegated from) of the few who have any, by id."""
    rows = guests.env.execute_query(
        SQL(
            """
            SELECT delegator_id, delegate_id FROM calendar_attendee_delegation_rel
            WHERE delegator_id = ANY(%(ids)s) OR delegate_id = ANY(%(ids)s)
            """,
            ids=list(guests._ids),
        )
    )
    some = guests.browse(dict.fromkeys(one for row in rows for one in row)).sudo()
    return {
        one.id: (_addresses(one.delegated_to_ids), _addresses(one.delegated_from_ids))
        for one in some
    }


def line(said, email, name, is_organizer):
    """ATTENDEE of these facts.

    :param Facts said: see there
    :param str email, name: of the contact, or those that stand alone
    """
    status = STATUSES.get(said.state, "NEEDS-ACTION")
    role = ROLES.get(said.role, "REQ-PARTICIPANT")
    if is_organizer and role == "REQ-PARTICIPANT":
        role = "CHAIR"
    is_open = status in ("NEEDS-ACTION", "TENTATIVE")
    members = [one for part in said.member.split(",") if (one := email_normalize(part))]
    return Attendee.of(
        email,
        CUTYPE=KINDS.get(said.cutype, "INDIVIDUAL"),
        ROLE=role,
        PARTSTAT=status,
        RSVP="TRUE" if said.rsvp and is_open else "FALSE",
        CN=name or None,
        MEMBER=_uris(members),
        DELEGATED_TO=_uris(said.delegated_to),
        DELEGATED_FROM=_uris(said.delegated_from),
        SENT_BY=f"mailto:{said.sent_by}" if said.sent_by else None,
        LANGUAGE=said.language.replace("_", "-") or None,
        DIR=said.directory or None,
    )


def values(attendee, languages):
    """What a line says of an attendee beside his answer, as values of ``calendar.attendee``.

    An organizer's CHAIR is his role in any case, and RSVP says nothing of who has answered:
    neither is in them.

    :param Attendee attendee: a line that came
    :param dict languages: code of each installed language by its tag in lower case
    """
    found = {
        "role": _ROLE_OF.get(attendee.role, "req-participant"),
        "cutype": _KIND_OF.get(attendee.kind, "unknown"),
        "member": ", ".join(_emails(attendee.params.values("MEMBER")[:MAX_MEMBERS])),
        "sent_by": next(iter(_emails([attendee.sent_by or ""])), ""),
        "directory": (attendee.params.get("DIR") or "")[:MAX_URI],
    }
    if attendee.status == "NEEDS-ACTION":
        found["rsvp"] = attendee.rsvp
    tag = (attendee.params.get("LANGUAGE") or "").lower()
    if tag in languages:
        found["language"] = languages[tag]
    return found


def delegates(attendee):
    """The addresses of DELEGATED-TO."""
    return tuple(_emails(attendee.delegated_to[:MAX_MEMBERS]))


def changed_params(old, new, is_organizer):
    """The parameters in which what Odoo says differs from what came.

    What Odoo does not know (no language, no groups) is left as it came.

    :param Attendee old, new: as it came; as Odoo has it
    """
    changes = {}
    if _answer(old.status) != _answer(new.status):
        changes["PARTSTAT"] = new.status
    elif new.status == "NEEDS-ACTION" and old.rsvp != new.rsvp:
        changes["RSVP"] = "TRUE" if new.rsvp else "FALSE"
    if not is_organizer and _ROLE_OF.get(old.role, "req-participant") != _ROLE_OF[new.role]:
        changes["ROLE"] = new.role
    if _KIND_OF.get(old.kind, "unknown") != _KIND_OF[new.kind]:
        changes["CUTYPE"] = new.kind
    for name in ("MEMBER", "SENT-BY", "DELEGATED-TO", "DELEGATED-FROM"):
        said = new.params.values(name)
        if said and not set(_emails(said)) <= set(_emails(old.params.values(name))):
            changes[name] = said
    directory = new.params.get("DIR")
    if directory and directory != (old.params.get("DIR") or "")[:MAX_URI]:
        changes["DIR"] = directory
    language = new.params.get("LANGUAGE")
    if language and language.lower() != (old.params.get("LANGUAGE") or "").lower():
        changes["LANGUAGE"] = language
    return {name.replace("-", "_"): value for name, value in changes.items()}


def _answer(status):
    """An answer as far as Odoo knows it."""
    return status if status in STATES else "NEEDS-ACTION"


def _addresses(guests):
    found = (email_normalize(guest.email or "", strict=False) for guest in guests)
    return tuple(sorted(address for address in found if address))


def _uris(addresses):
    return tuple(f"mailto:{address}" for address in addresses) or None


def _emails(uris):
    """The addresses of URIs, in lower case; what is none is left out."""
    found = (short_address(uri.partition(":")[2] or uri) for uri in uris)
    return [address for address in found if address]
