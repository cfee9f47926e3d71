"""What meetings were before an import changed them, as plain data, and back again."""

from datetime import date, datetime

from odoo.fields import Command

from .calendar_recurrence_identity import RULE

EVENT_FIELDS = (
    "name", "description", "location", "start", "stop", "allday", "active", "privacy", "show_as",
    "is_tentative",
    "videocall_location", "user_id", "recurrence_id", "recurrency", "follow_recurrence",
    "alarm_ids", "categ_ids", "ical_uid", "ical_sequence", "ical_text", "ical_recurrence_start",
)  # fmt: skip
SERIES_FIELDS = (
    *RULE, "base_event_id", "ical_uid", "ical_sequence", "ical_text", "ical_exdates",
    "ical_rdates", "ical_exrules", "ical_first", "ical_last", "ical_start",
)  # fmt: skip


def take(events, series=None):
    """{model: {id: values}}; what of a meeting's guests are their answers."""
    found = {
        "calendar.event": {
            event.id: {
                **_values(event, EVENT_FIELDS),
                "guests": {
                    guest.partner_id.id: guest.state
                    for guest in event.attendee_ids
                    if guest.partner_id
                },
                # Those without a contact, who are nowhere else.
                "alone": [
                    {**guest._carried_values(), "state": guest.state}
                    for guest in event.attendee_ids
                    if not guest.partner_id
                ],
            }
            for event in events
        }
    }
    if series:
        found["calendar.recurrence"] = {series.id: _values(series, SERIES_FIELDS)}
    return found


def plain(records, names):
    """{model: {id: values}} of any records."""
    return {records._name: {record.id: _values(record, names) for record in records}}


def put_back(env, before):
    """Write what :func:`take` has found, on what is still there.

    :param env: that is silent and marks what is written as coming from elsewhere
    :param before: as taken; ids may have become text (JSON)
    """
    # A series before its meetings, which point to it.
    for model in sorted(before, key=lambda name: name != "calendar.recurrence"):
        for res_id, values in before[model].items():
            record = env[model].browse(int(res_id)).exists()
            if record:
                _put_back_one(env, record, dict(values))


def _put_back_one(env, record, values):
    guests, alone = values.pop("guests", None), values.pop("alone", None)
    for name in list(values):
        field = record._fields[name]
        if field.type == "many2many":
            values[name] = [Command.set(env[field.comodel_name].browse(values[name]).exists().ids)]
        elif field.type == "many2one" and values[name]:
            values[name] = env[field.comodel_name].browse(values[name]).exists().id
    if guests is not None:
        guests = {int(partner_id): state for partner_id, state in guests.items()}
        ids = env["res.partner"].browse(guests).exists().ids
        values["partner_ids"] = [Command.set(ids)]
    record.write(values)
    for guest in record.attendee_ids if guests else ():
        state = guests.get(guest.partner_id.id)
        if state and guest.state != state:
            guest.write({"state": state})
    if alone is not None:
        record.attendee_ids.filtered(lambda guest: not guest.partner_id).unlink()
        env["calendar.attendee"].create([{**guest, "event_id": record.id} for guest in alone])


def _values(record, names):
    return {name: _plain(record._fields[name].convert_to_write(record[name], record))
            for name in names} | _links(record, names)  # fmt: skip


def _links(record, names):
    return {
        name: record[name].ids for name in names if record._fields[name].type == "many2many"
    }  # fmt: skip


def _plain(value):
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value
