"""The parts of a report: which there are, what they are called, and which the officer writes."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a report: heading, and what the officer is asked to write; nothing where the part is numbers alone."""

    key: str
    heading: Any
    asks: Any = ""
    is_annex: bool = False


PARTS = (
    Part(
        key="direction",
        heading=_("Direction and organization"),
        asks=_("What was issued and organized in the period: documents, meetings, communication."),
    ),
    Part(
        key="results",
        heading=_("Results against the targets"),
        asks=_("What was done well, and how; models worth spreading."),
    ),
    Part(key="progress", heading=_("Progress over time")),
    Part(key="participation", heading=_("Participation in assessments")),
    Part(key="training", heading=_("Training and certificates")),
    Part(
        key="readiness",
        heading=_("Rooms and computers"),
        asks=_("Rooms, computers, network: what is there, what is missing."),
    ),
    Part(key="budget", heading=_("Budget"), asks=_("Budget given and spent, by source.")),
    Part(
        key="shortcomings",
        heading=_("Shortcomings"),
        asks=_("What did not succeed, beyond what the numbers show."),
    ),
    Part(key="causes", heading=_("Causes"), asks=_("Why; causes within and outside the unit.")),
    Part(
        key="solutions",
        heading=_("Tasks and solutions for the time to come"),
        asks=_("What will be done, by whom, until when."),
    ),
    Part(
        key="proposals",
        heading=_("Recommendations and proposals"),
        asks=_("To the Ministry of Education and Training; to the People's Committee of the province."),
    ),
    Part(key="method", heading=_("How the numbers are counted"), is_annex=True),
)
NATIONAL = Part(key="provinces", heading=_("Where the provinces stand"))
OWN_PARTS = frozenset(one.key for one in PARTS if one.asks)


def parts_of(*, is_national: bool) -> tuple[Part, ...]:
    """List the parts of a report in order."""
    if not is_national:
        return PARTS
    place = [one.key for one in PARTS].index("progress")
    return (*PARTS[:place], NATIONAL, *PARTS[place:])
