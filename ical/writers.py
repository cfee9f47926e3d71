"""How the value of each property is written (RFC 5545, 3.8).

A writer gets the value, the parameters that the property had, and the zones of
its file; it returns the parameters that the property shall have, so that those
nobody knows survive the change of a value, and the text.
"""

from datetime import timedelta
from functools import lru_cache

from . import values
from .items import Period
from .values import UTC, is_date, is_utc
from .zones import key_of


def write_text(value, params, zones):
    return params, values.write_text(value)


def write_word(value, params, zones):
    return params, values.write_plain(value)


def write_integer(value, params, zones):
    return params, str(value)


def write_geo(value, params, zones):
    return params, f"{value[0]};{value[1]}"


def zone_name(moment, had, zones):
    """TZID of a moment: the name the property had, if it means the same zone."""
    if had and zones is not None and zones.get(had) == moment.tzinfo:
        return had
    return getattr(moment.tzinfo, "tzid", None) or key_of(moment.tzinfo)


def write_one_moment(value, params, zones):
    """DATE, floating, UTC, or local with a TZID; a bare offset becomes UTC (3.3.5)."""
    if is_date(value):
        return params.put(TZID=None, VALUE="DATE"), values.write_moment(value)
    if (params.get("VALUE") or "").upper() in ("DATE", "PERIOD"):
        params = params.put(VALUE=None)
    if value.tzinfo is None:
        return params.put(TZID=None), values.write_moment(value)
    if not is_utc(value):
        name = zone_name(value, params.get("TZID"), zones)
        if name:
            return params.put(TZID=name), values.write_moment(value)
        value = value.astimezone(UTC)
    return params.put(TZID=None), values.write_moment(value)


def write_utc(value, params, zones):
    moment = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if params:
        params = params.put(TZID=None, VALUE=None)
    return params, values.write_moment(moment)


def write_duration(value, params, zones):
    return params, values.write_duration(value)


def write_trigger(value, params, zones):
    if isinstance(value, timedelta):
        return params.put(VALUE=None, TZID=None), values.write_duration(value)
    params, text = write_utc(value, params.put(RELATED=None), zones)
    return params.put(VALUE="DATE-TIME"), text


def write_recurrence_date(value, params, zones):
    if not isinstance(value, Period):
        return write_one_moment(value, params, zones)
    params, text = write_one_moment(value.start, params, zones)
    if value.end is None:
        return params.put(VALUE="PERIOD"), f"{text}/{values.write_duration(value.duration)}"
    # Both ends of a period have the TZID of the property.
    end = value.end
    if end.tzinfo is not None:
        end = end.astimezone(value.start.tzinfo if params.get("TZID") else UTC)
    return params.put(VALUE="PERIOD"), f"{text}/{values.write_moment(end)}"


def write_busy(value, params, zones):
    def utc(moment):
        return values.write_moment(moment.astimezone(UTC) if moment.tzinfo else moment)

    end = values.write_duration(value.period.duration) if value.period.end is None else utc(
        value.period.end)  # fmt: skip
    kind = None if value.kind == "BUSY" and not params.get("FBTYPE") else value.kind
    return params.put(FBTYPE=kind), f"{utc(value.period.start)}/{end}"


def write_address(value, params, zones):
    return _address(value)


@lru_cache(maxsize=1024)
def _address(value):
    """The parameters and the address: the same few people stand in every meeting."""
    return str(value.params), values.write_plain(value.uri)


def write_valued(value, params, zones):
    return value.params, values.write_plain(value.value)


def write_conference(value, params, zones):
    # RFC 7986, 5.11: VALUE=URI is a must.
    params = value.params.put(VALUE="URI") if value.source == "CONFERENCE" else value.params
    return params, values.write_plain(value.uri)


def write_relation(value, params, zones):
    return value.params, values.write_text(value.uid)
