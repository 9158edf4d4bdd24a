"""What is due as a calendar file (RFC 5545), for the calendar programs of phones and offices."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from icalendar import Alarm, Calendar, Event

PRODUCT = "-//Dien Rong//followup//VI"
ALARM_BEFORE = datetime.timedelta(days=-1)


def calendar(name: str, entries: Iterable[dict[str, Any]], *, stamp: datetime.datetime) -> bytes:
    """Write a calendar; each entry has ``uid``, ``title``, ``first``, ``last``, ``text``, ``url`` and ``is_done``.

    The same entries give the same bytes but for the stamp. Events last whole days; the end is excluded, as the
    standard asks. What is open has an alarm on the day before.
    """
    found = Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    found.add("x-wr-calname", name)
    found.add("refresh-interval;value=duration", "PT12H")
    for entry in entries:
        event = Event()
        event.add("uid", entry["uid"])
        event.add("dtstamp", stamp)
        event.add("summary", entry["title"])
        event.add("dtstart", entry["first"])
        event.add("dtend", entry["last"] + datetime.timedelta(days=1))
        event.add("description", entry["text"])
        event.add("transp", "TRANSPARENT")
        event.add("status", "CONFIRMED" if entry["is_done"] else "TENTATIVE")
        if entry["url"]:
            event.add("url", entry["url"])
        if not entry["is_done"]:
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", entry["title"])
            alarm.add("trigger", ALARM_BEFORE)
            event.add_component(alarm)
        found.add_component(event)
    return bytes(found.to_ical())
