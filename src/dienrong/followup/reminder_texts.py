"""What a person is reminded of, in words: the text of a mail, and a text to copy into a chat."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dienrong.core.formats import day_text, number_text

BEFORE = (7, 3, 1, 0)
"""Days before the due day on which a reminder goes out."""
EVERY = 7
"""Days between reminders of what is late, from the first day on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something that is due: its title, its plan and its day."""

    title: str
    plan: str
    due_on: datetime.date
    path: str

    def days_left(self, today: datetime.date) -> int:
        """Give the days until it is due; negative where it is late."""
        return (self.due_on - today).days

    def is_called(self, today: datetime.date) -> bool:
        """Tell whether today is a day on which people are reminded of it."""
        left = self.days_left(today)
        return left in BEFORE if left >= 0 else (-left - 1) % EVERY == 0


def when(item: Item, today: datetime.date) -> str:
    """Say when something is due, or since when it is late."""
    left = item.days_left(today)
    if left == 0:
        return _("due today")
    if left < 0:
        n = number_text(-left)
        return ngettext("%(n)s day late", "%(n)s days late", -left) % {"n": n}
    return _("due on %(day)s") % {"day": day_text(item.due_on)}


def mail(name: str, items: Sequence[Item], today: datetime.date, site: str) -> tuple[str, str]:
    """Write the subject and the text of a mail."""
    late = sum(item.days_left(today) < 0 for item in items)
    subject = _("%(n)s tasks to do, %(late)s of them late") % {
        "n": number_text(len(items)),
        "late": number_text(late),
    }
    lines = [_("Dear %(name)s,") % {"name": name}, "", _("These tasks wait for your unit:"), ""]
    for item in items:
        lines.append(f"- {item.title} ({item.plan}): {when(item, today)}")
        if site:
            lines.append(f"  {site.rstrip('/')}{item.path}")
    lines += ["", _("This reminder was sent by the system; please do not answer it.")]
    return subject, "\n".join(lines)


def chat(title: str, rows: Iterable[dict[str, Any]], today: datetime.date) -> str:
    """Write a text to copy into a chat: the task, its units that are late, and the request.

    Each row has ``title`` and ``units`` (a list of names) and ``due_on``.
    """
    lines = [_("[%(title)s] Progress on %(day)s") % {"title": title, "day": day_text(today)}]
    for row in rows:
        n = len(row["units"])
        lines.append(
            ngettext(
                "• %(task)s (due on %(day)s): %(n)s unit has not reported",
                "• %(task)s (due on %(day)s): %(n)s units have not reported",
                n,
            )
            % {"task": row["title"], "day": day_text(row["due_on"]), "n": number_text(n)}
        )
        lines.append("   " + "; ".join(row["units"]))
    lines.append(_("The units are kindly asked to complete and report in the system. Thank you."))
    return "\n".join(lines)
