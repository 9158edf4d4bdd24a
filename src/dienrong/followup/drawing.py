"""A Gantt chart laid out in numbers, ready for an SVG template: bars, dependencies, months, today."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dienrong.followup.models import Task

ROW, BAR, HEAD, NAMES, WIDTH = 30, 16, 34, 330, 1120
LONGEST_NAME = 44
LEAST_BAR = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One task: where its bar stands, in points of the drawing."""

    task: Task
    name: str
    y: int
    x: float
    width: float
    shape: str

    @property
    def middle(self) -> int:
        """The height of the middle of the bar."""
        return self.y + ROW // 2

    @property
    def top(self) -> int:
        """The upper edge of the bar."""
        return self.y + (ROW - BAR) // 2

    @property
    def baseline(self) -> int:
        """Where the name is written."""
        return self.y + ROW // 2 + 5


def shape_of(task: Task, today: datetime.date) -> str:
    """Name the state of a task as the pages show it: late is a state of its own."""
    if task.state == Task.State.DROPPED:
        return "cancelled"
    if task.state == Task.State.DONE:
        return "done"
    if task.is_late(today):
        return "attention"
    return "in_progress" if task.state == Task.State.RUNNING else "not_started"


def gantt(tasks: Sequence[Task], links: Iterable[tuple[int, int]], today: datetime.date) -> dict[str, Any]:
    """Lay a Gantt chart out; nothing is drawn where there is no task."""
    if not tasks:
        return {}
    first = min(task.starts_on for task in tasks).replace(day=1)
    last = max(task.due_on for task in tasks)
    n_days = max((last - first).days + 1, 28)

    def at(day: datetime.date) -> float:
        return round(NAMES + (WIDTH - NAMES) * (day - first).days / n_days, 1)

    bars = [
        Bar(
            task=task,
            name=task.title
            if len(task.title) <= LONGEST_NAME
            else task.title[: LONGEST_NAME - 1].rstrip() + "…",
            y=HEAD + ROW * place,
            x=at(task.starts_on),
            width=max(round(at(task.due_on + datetime.timedelta(days=1)) - at(task.starts_on), 1), LEAST_BAR),
            shape=shape_of(task, today),
        )
        for place, task in enumerate(tasks)
    ]
    by_key = {bar.task.pk: bar for bar in bars}
    arrows = [
        _arrow(by_key[earlier], by_key[later])
        for earlier, later in links
        if earlier in by_key and later in by_key
    ]
    height = HEAD + ROW * len(bars) + 22
    return {
        "bars": bars,
        "arrows": arrows,
        "months": _months(first, last, n_days, at),
        "today_x": at(today) if first <= today <= last else None,
        "width": WIDTH,
        "height": height,
        "names": NAMES,
        "bar_height": BAR,
        "bottom": height - 20,
        "foot": height - 6,
    }


def _arrow(earlier: Bar, later: Bar) -> str:
    """Give the path from the end of one bar to the begin of another."""
    x, y = round(earlier.x + earlier.width, 1), earlier.middle
    turn = round(min(x + 5, max(later.x - 5, NAMES + 1)), 1)
    return f"M{x} {y}H{turn}V{later.middle}H{round(later.x, 1)}"


def _months(first: datetime.date, last: datetime.date, n_days: int, at: Any) -> list[dict[str, Any]]:
    """List the months that bear a line, every third where there are many."""
    every = 1 if n_days <= 400 else 3 if n_days <= 1100 else 6
    found, day = [], first
    while day <= last:
        if (day.month - 1) % every == 0:
            found.append({"x": at(day), "day": day, "label": f"{day.month:02d}/{day.year}"})
        day = (day.replace(day=28) + datetime.timedelta(days=4)).replace(day=1)
    return found


def month_weeks(year: int, month: int, entries: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Lay a month out as weeks from Monday; each day holds what is due on it. Each entry has ``due_on``."""
    by_day: dict[datetime.date, list[dict[str, Any]]] = {}
    for entry in entries:
        by_day.setdefault(entry["due_on"], []).append(entry)
    first = datetime.date(year, month, 1)
    day = first - datetime.timedelta(days=first.weekday())
    weeks: list[list[dict[str, Any]]] = []
    while day.month == month or day < first or len(weeks) == 0:
        weeks.append(
            [
                {"day": one, "is_inside": one.month == month, "entries": by_day.get(one, [])}
                for one in (day + datetime.timedelta(days=offset) for offset in range(7))
            ]
        )
        day += datetime.timedelta(days=7)
    return weeks
