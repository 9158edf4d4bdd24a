"""Templates of plans: tasks of a programme as data, with days counted from the first day of testing or in the year."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from django.utils.translation import get_language

FOLDER = "programmes_data"
ANCHORS = ("first_test_day", "year")
REACHES = ("province", "commune", "school")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTemplate:
    """A task before it belongs to a plan; ``reach`` names the units to which it is meant to be handed."""

    key: str
    title: str
    lead: str
    support: str
    product: str
    fallback: str
    starts: int | str
    due: int | str
    after: tuple[str, ...]
    step: int | None
    reach: str

    def days(self, anchor_day: datetime.date) -> tuple[datetime.date, datetime.date]:
        """Give the first and the last day: weeks from the anchor, or a day of its year."""
        return _day(self.starts, anchor_day), _day(self.due, anchor_day)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeTemplate:
    """The tasks of a programme, and where they come from; what is not verified is shown as such."""

    code: str
    name_vi: str
    name_en: str
    anchor: str
    source: str
    is_verified: bool
    title: str
    legal_bases: tuple[str, ...]
    recipients: tuple[str, ...]
    tasks: tuple[TaskTemplate, ...]

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "vi").startswith("en") else self.name_vi


def _day(value: int | str, anchor_day: datetime.date) -> datetime.date:
    """Read weeks from a day, or month and day in its year."""
    if isinstance(value, int):
        return anchor_day + datetime.timedelta(weeks=value)
    month, day = value.split("-")
    return datetime.date(anchor_day.year, int(month), int(day))


@cache
def templates() -> dict[str, ProgrammeTemplate]:
    """Read every template, by code; a template that names an unknown task, day or unit is refused at once."""
    folder = files("dienrong.followup") / FOLDER
    found = [
        _read(tomllib.loads(one.read_text("utf-8"))) for one in folder.iterdir() if one.name.endswith(".toml")
    ]
    return {one.code: one for one in sorted(found, key=lambda one: one.code)}


def _read(raw: dict[str, Any]) -> ProgrammeTemplate:
    """Make a template of what a file says."""
    tasks = tuple(
        TaskTemplate(
            key=one["key"],
            title=one["title"],
            lead=one.get("lead", ""),
            support=one.get("support", ""),
            product=one.get("product", ""),
            fallback=one.get("fallback", ""),
            starts=one["starts"],
            due=one["due"],
            after=tuple(one.get("after", ())),
            step=one.get("step"),
            reach=one.get("duty", ""),
        )
        for one in raw["task"]
    )
    known = [task.key for task in tasks]
    for task in tasks:
        if (
            set(task.after) - set(known)
            or (task.reach and task.reach not in REACHES)
            or known.count(task.key) > 1
        ):
            raise ValueError(
                f"{raw['code']}: task {task.key!r} names an unknown task or unit, or stands twice."
            )
    if raw["anchor"] not in ANCHORS:
        raise ValueError(f"{raw['code']}: anchor must be one of {', '.join(ANCHORS)}. Got {raw['anchor']!r}.")
    return ProgrammeTemplate(
        code=raw["code"],
        name_vi=raw["name_vi"],
        name_en=raw["name_en"],
        anchor=raw["anchor"],
        source=raw["source"],
        is_verified=raw["is_verified"],
        title=raw["title"],
        legal_bases=tuple(raw["legal_bases"]),
        recipients=tuple(raw["recipients"]),
        tasks=tasks,
    )
