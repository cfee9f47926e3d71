"""What organizers outside say by mail: REQUEST, CANCEL, DECLINECOUNTER (RFC 5546, 3.2.2,
3.2.5, 3.2.8)."""

from dataclasses import replace

from markupsafe import Markup

from odoo import fields, models

from ..ical.itip_state import FUTURE, NEWER, judge_news
from ..ical.sequence import order
from ..ical.text import to_text
from ..ical.values import UTC
from .calendar_invitation_gateway import Doubt
from .ical_incoming import Options
from .ical_row import owner_addresses
from .ical_taken import tags_of
from .ical_values import SILENT, tag_named

#: Where the text comes from, as the import knows it.
SOURCE = "mail"
#: Place of the last refusal of a proposal; no RECURRENCE-ID looks like it.
REFUSAL = "DECLINECOUNTER"


class CalendarInvitationGateway(models.AbstractModel):
    _inherit = "calendar.invitation.gateway"

    def _from_organizer(self, found, mail):
        """What is to be done with what an organizer says: for each user whom it concerns.

        :return: list of pairs (user or None, function); if it is empty, it is a mail like
            any other
        """
        claims = self.env["res.users"]._by_address(sorted(mail.recipients))
        if claims and (own := self._own_of(found)):
            # Our own mail has come back, or somebody wants to change what is ours.
            return [(None, lambda: self._check_own(found, mail, own))]
        users = dict.fromkeys(one for one in claims.values() if len(one) == 1)
        works = [(user, lambda user=user: self._news_for(found, mail, user)) for user in users]
        # Anybody can write any address into his preferences.
        works += [
            (None, lambda address=address: self._leave_open(address))
            for address, several in sorted(claims.items()) if len(several) > 1
        ]  # fmt: skip
        return works

    def _leave_open(self, address):
        """:raises Doubt: it is for one of several users, and nobody knows for whom"""
        raise Doubt("claimed", detail=address)

    def _own_of(self, found, user=None):
        """The meetings of ours that an organizer's message is about.

        The UID alone does not tell: whoever takes in a file with the meeting of somebody
        outside has one of that UID as well, and that is nobody else's.

        :param user: what he organizes counts, whoever the organizer is in the message
        """
        return self._events_of(found.uid).filtered(
            lambda event: event.user_id == user or found.organizer in self._organizer_of(event)
        )

    def _organizer_of(self, event):
        """The addresses under which its organizer invites."""
        company = event.user_id.company_id
        return event._invitation_own_addresses(event.user_id) | {
            company.catchall_email, company.partner_id.email_normalized,
        }  # fmt: skip

    def _check_own(self, found, mail, events):
        event = events[:1]
        ours = self._organizer_of(event)
        if mail.is_trusted or found.organizer not in ours or mail.sender not in ours:
            raise Doubt("own", event)

    def _news_for(self, found, mail, user):
        """Take it in for one user.

        :raises Doubt: when it is not to be believed; then nothing is taken
        """
        if found.method not in ("REQUEST", "CANCEL", "DECLINECOUNTER"):
            raise Doubt("method", user=user, detail=found.method)
        if own := self._own_of(found, user):
            self._check_own(found, mail, own)
        if not found.organizer:
            raise Doubt("organizer", user=user)
        event = self._copy_of(found.uid, user)
        mail.check_sender(found.organizer, event, user)
        known = event._invitation_original_organizer() if event else None
        if event and known != found.organizer and not mail.is_trusted:
            raise Doubt("organizer", event, user, found.organizer)
        people = {one.email for item in found.items for one in item.attendees}
        if (
            not people & owner_addresses(user)
            and not mail.is_trusted
            and (found.method == "REQUEST" or people or not event)
        ):
            raise Doubt("not_invited", event, user)
        if found.method == "DECLINECOUNTER":
            self._note_refusal(found, event, user)
            return
        Seen = self.env["calendar.invitation.seen"]
        seen = Seen._of(user, found.uid)
        orders = {place: row._itip_order() for place, row in seen.items() if place != REFUSAL}
        now = fields.Datetime.now().replace(tzinfo=UTC)
        verdicts = {item.key: judge_news(item, orders, now) for item in found.items}
        if FUTURE in verdicts.values() and not mail.is_trusted:
            raise Doubt("future", event, user)
        news = [
            item for item in found.items
            if verdicts[item.key] == NEWER or (mail.is_trusted and verdicts[item.key] == FUTURE)
        ]  # fmt: skip
        if not news:
            return
        written = self._write_news(found.method, news, seen, event, user)
        self._note_seen(found.method, news, seen, user, written)
        self._tell_of_news(found.method, written, user)

    def _copy_of(self, uid, user):
        """What the user has of that meeting, the first one."""
        Events = self.env["calendar.event"].sudo().with_context(active_test=False)
        return Events.search(
            [("ical_uid", "=", uid), "|", ("user_id", "=", user.id),
             ("partner_ids", "in", user.partner_id.ids)],
            order="active desc, start, id", limit=1,
        )  # fmt: skip

    def _write_news(self, method, news, seen, event, user):
        """Write it into the user's calendar, through the one way in.

        :return: the first meeting of it, or none
        """
        if method == "CANCEL" and not event:
            # It has overtaken its invitation, which will be known as older.
            return event
        items = [self._without_more(one) for one in (*news, *self._kept_parts(news, seen))]
        # Judged newer than what is there, it says so to the comparison as well.
        now = fields.Datetime.now().replace(tzinfo=UTC)
        text = to_text([replace(item, stamp=now) for item in items], method=method)
        answers = self._answers_of(event, user, news)
        Events = self.env["calendar.event"].sudo()
        options = Options(source=SOURCE, force=True, lock=True, reminders=False)
        outcomes = Events._ical_compare(text.encode(), user, options)
        for outcome in outcomes:
            if outcome.kind in ("refused", "error"):
                reason = Events._ical_reason(outcome.reason, outcome.detail)
                raise Doubt("refused", event, user, reason[:200])
        for result in Events._ical_upsert(outcomes, user, options):
            if result.kind == "error":
                reason = Events._ical_reason(result.reason, result.detail)
                raise Doubt("refused", event, user, reason[:200])
        for attendee, state in answers:
            if attendee.exists() and attendee.state != state:
                attendee.with_context(**SILENT).write({"state": state})
        return self._copy_of(news[0].uid, user)

    def _without_more(self, item):
        """What an organizer outside may say of a user's meeting: he makes no tags, which
        everybody has, and sets no reminders, which are a reader's own."""
        Type = self.env["calendar.event.type"].sudo()
        tags = tuple(name for name in tags_of(item.categories) if tag_named(Type, name))
        return replace(item, alarms=(), categories=tags)

    def _kept_parts(self, news, seen):
        """Occurrences of which there was newer word than the series that comes now."""
        whole = next((item for item in news if item.recurrence_id is None), None)
        if whole is None:
            return []
        said = {item.key[1] for item in news}
        kept = []
        for place, row in seen.items():
            if place is None or place in said or row._itip_order() < order(whole):
                continue
            item = row._item()
            if item is not None:
                kept.append(replace(item, status="CANCELLED") if row.method == "CANCEL" else item)
        return kept

    def _answers_of(self, event, user, news):
        """His answers to what has not changed stay (3.2.2.1).

        :return: list of pairs (attendee, state)
        """
        if not event:
            return []
        events = event.recurrence_id.calendar_event_ids or event
        mine = events.attendee_ids.filtered(
            lambda one: one.partner_id == user.partner_id and one.state != "needsAction"
        )
        newest = max(item.sequence for item in news)
        return [
            (one, one.state) for one in mine
            if newest <= max(one.event_id.ical_sequence, one.recurrence_id.ical_sequence)
        ]  # fmt: skip

    def _note_seen(self, method, news, seen, user, event):
        """By this the same message, and older ones, are known."""
        for item in sorted(news, key=lambda one: one.recurrence_id is not None):
            place = item.key[1]
            if place is None:
                for other, row in list(seen.items()):
                    if other not in (None, REFUSAL) and row._itip_order() < order(item):
                        row.unlink()
                        del seen[other]
            sequence, stamp = order(item)
            values = {
                "sequence": sequence,
                "stamp": stamp.astimezone(UTC).replace(tzinfo=None),
                "method": method,
                "event_id": event.id,
                "text": to_text([item]) if place is not None else False,
            }
            if place in seen:
                seen[place].write(values)
            else:
                key = {"user_id": user.id, "uid": item.uid, "place": place or False}
                seen[place] = self.env["calendar.invitation.seen"].create({**key, **values})

    def _tell_of_news(self, method, event, user):
        if not event:
            return
        if user.invitation_notice == "digest":
            seen = self.env["calendar.invitation.seen"]
            seen.search([("user_id", "=", user.id), ("event_id", "=", event.id)], limit=1).write(
                {"awaits_digest": True}
            )
            return
        Outgoing = self.env["calendar.invitation.outgoing"].with_context(lang=user.lang, tz=user.tz)
        organizer = event._invitation_original_organizer() or ""
        values = {"organizer": organizer, "name": event.name}
        texts = {
            "REQUEST": Outgoing.env._("%(organizer)s invites you: %(name)s", **values),
            "CANCEL": Outgoing.env._("%(organizer)s has cancelled: %(name)s", **values),
        }
        subject = " ".join(texts[method].split())[:200]
        body = Markup("<p>%s, %s</p>") % (subject, Outgoing._moment_of(event))
        Outgoing._tell_user(user, event, subject, body, self.env["res.partner"])

    def _note_refusal(self, found, event, user):
        """The organizer does not take up a proposal (3.2.8)."""
        if not event:
            raise Doubt("unknown", user=user)
        item = found.items[0]
        seen = self.env["calendar.invitation.seen"]._of(user, found.uid)
        sequence, stamp = order(item)
        if REFUSAL in seen and seen[REFUSAL]._itip_order() >= (sequence, stamp):
            return
        values = {
            "sequence": sequence,
            "stamp": stamp.astimezone(UTC).replace(tzinfo=None),
            "method": found.method,
        }
        if REFUSAL in seen:
            seen[REFUSAL].write(values)
        else:
            key = {"user_id": user.id, "uid": item.uid, "place": REFUSAL}
            self.env["calendar.invitation.seen"].create({**key, **values})
        comment = "\n".join(item.comments).strip()
        text = self.env._("The organizer does not take up the proposed time.")
        event._message_log(body=f"{text} {comment}".strip())
