"""Who takes part in the meetings that come in. Plain Python over records."""

import uuid

from odoo.tools import email_normalize

from .bulk import create_alike, link_rows
from .calendar_attendee_delegation import MAX_IN_MEETING
from .ical_row import is_person
from .ical_values import SILENT, RowValues, contacts_of

#: Of an attendee of whom a file says no more than that he is one.
BARE = {
    "address": False,
    "role": "req-participant",
    "rsvp": True,
    "language": False,
    "member": False,
    "sent_by": False,
    "directory": False,
}


class PeopleWriter(RowValues):
    """Writes attendees, and contacts where they are wanted."""

    def _guest_values(self, row):
        """dict from contacts, and addresses without one, to values of attendees"""
        return {
            self._made.get(guest, guest): {**self._said(row, guest), "state": state}
            for guest, state in row.guests.items()
        }

    def _said(self, row, guest):
        said = (row.parts or {}).get(guest) or {}
        return {name: value or False for name, value in said.items() if name != "delegates"}

    def _make_guests(self, events, rows, guests):
        """The attendees of new meetings: the first by Odoo, the others as rows like it.

        :param rows: list of Row, one for each meeting
        :param guests: list of dicts as of ``_guest_values``
        """
        invited = [
            (event.id, guest, said)
            for event, of_row in zip(events, guests, strict=True)
            for guest, said in of_row.items()
        ]
        link_rows(
            self.events._fields["partner_ids"],
            self.events,
            [(event_id, guest) for event_id, guest, _said in invited if isinstance(guest, int)],
        )
        partners = self.env["res.partner"].browse(
            {guest for _id, guest, _said in invited if isinstance(guest, int)}
        )
        names = {one.id: one.name or one.email for one in partners}
        kinds = {one.id: "group" if one.is_company else "individual" for one in partners}
        create_alike(
            self.env["calendar.attendee"],
            [
                {
                    "event_id": event_id,
                    "partner_id": False,
                    "cutype": kinds.get(guest, "individual"),
                    "sent_by_id": self.owner.id,
                    "common_name": names.get(guest, guest),
                    "access_token": uuid.uuid4().hex,
                    **BARE,
                    **_who(guest),
                    **said,
                }
                for event_id, guest, said in invited
            ],
        )
        events.invalidate_recordset(["partner_ids", "attendee_ids"], flush=False)
        for event, row in zip(events, rows, strict=True):
            self._link_delegates(event, row)

    def _look_up_customers(self, guests):
        """Whom each set of attendees is met with: looked at together.

        :param guests: list of dicts as of ``_guest_values``
        """
        together = list({partner_id for of_row in guests for partner_id in contacts_of(of_row)})
        for ids in map(contacts_of, guests):
            if ids not in self._customers:
                partners = self.env["res.partner"].browse(ids).with_prefetch(together)
                self._customers[ids] = self.events._only_customer(partners).id

    def _make_contacts(self, outcomes):
        """Contacts of the attendees without one, if that is wanted; as the owner may."""
        if not self.options.make_contacts:
            return
        wanted = {}
        for outcome in outcomes:
            for item in outcome.items:
                for attendee in item.attendees:
                    if attendee.email and is_person(attendee):
                        wanted.setdefault(attendee.email, attendee.name or attendee.email)
        needed = {
            guest
            for outcome in outcomes
            for row in self._rows_of(outcome)
            for guest in row.guests
            if isinstance(guest, str) and guest not in self._made
        }
        emails = sorted(needed & set(wanted))
        if not emails:
            return
        Partner = self.env["res.partner"].with_user(self.owner).with_context(**SILENT)
        partners = Partner.create(
            [{"name": wanted[email][:200], "email": email} for email in emails]
        )
        self._made.update(zip(emails, partners.ids, strict=True))

    def _rows_of(self, outcome):
        plan = outcome.plan
        if hasattr(plan, "rows"):
            return plan.rows
        return [row for _event, _names, row in plan.writes] + plan.creates

    def _write_guests(self, event, row, guests):
        """Their answers, and those who are invited without a contact."""
        there = {guest._key(): guest for guest in event.attendee_ids}
        for key, guest in there.items():
            if isinstance(key, str) and key not in guests:
                guest.unlink()
        for key, said in guests.items():
            guest = there.get(key)
            if guest is None:
                self.env["calendar.attendee"].create({**_who(key), **said, "event_id": event.id})
                continue
            new = {name: value for name, value in said.items() if guest[name] != value}
            if new:
                guest.write(new)
        self._link_delegates(event, row)

    def _link_delegates(self, event, row):
        """DELEGATED-TO, as far as the delegates are attendees here."""
        if not any("delegates" in said for said in (row.parts or {}).values()):
            return
        by_email = {}
        for guest in event.attendee_ids:
            by_email.setdefault(email_normalize(guest.email or "", strict=False), guest)
        linked = 0
        for guest in event.attendee_ids:
            said = row.parts.get(guest._key()) or {}
            for address in said.get("delegates", ()):
                delegate = by_email.get(address)
                if not delegate or linked == MAX_IN_MEETING:
                    # A chain takes the cube of its length.
                    continue
                if delegate not in guest | guest._delegators():
                    guest.delegated_to_ids |= delegate
                    linked += 1


def _who(guest):
    """Who an attendee is: a contact, or an address alone."""
    return {"address": guest} if isinstance(guest, str) else {"partner_id": guest}
