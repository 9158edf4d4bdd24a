"""Parts of the reports that the room of rooms and machines knows: readiness of schools, estimates of money."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.formats import number_text
from dienrong.cycles.queries import all_cycles
from dienrong.plans.ports import Annex
from dienrong.readiness.models import Mode, Stream
from dienrong.readiness.queries import State, state_of


def _states(unit: Any, day: datetime.date) -> list[tuple[Any, State]]:
    """Give where a unit stands in each round in which schools were asked by a day."""
    found = [(cycle, state_of(cycle, unit, day)) for cycle in all_cycles()]
    return [(cycle, state) for cycle, state in found if state.n_asked]


def readiness(unit: Any, day: datetime.date) -> Annex | None:
    """Give the schools by the mode in which they can be tested, and what they lack; None where none was asked."""
    states = _states(unit, day)
    if not states:
        return None
    columns = (_("Round of the programme"), _("Schools asked"), _("Handed in"), *(str(Mode(one).label) for one in Mode.values), _("Machines lacking"))  # fmt: skip
    rows, numbers = [], []
    for place, (cycle, state) in enumerate(states):
        counts = [
            state.n_asked,
            state.n_submitted,
            *(state.n_by_mode[one] for one in Mode.values),
            state.gap["lack_machines"],
        ]
        rows.append((cycle.name, *(number_text(one) for one in counts)))
        numbers += [(place, column, float(one), "n") for column, one in enumerate(counts, start=1)]
    last = states[0][1]
    sentence = _("%(done)s of %(all)s schools asked have handed the survey of rooms and machines in; %(ready)s can be tested on computers; %(lack)s machines are lacking.") % {"done": number_text(last.n_submitted), "all": number_text(last.n_asked), "ready": number_text(last.n_decided_ready), "lack": number_text(last.gap["lack_machines"])}  # fmt: skip
    return Annex(
        key="readiness",
        sentences=(sentence,),
        caption=_("Rooms and machines of the schools asked"),
        columns=columns,
        rows=tuple(rows),
        numbers=tuple(numbers),
    )


def budget(unit: Any, day: datetime.date) -> Annex | None:
    """Give the estimates of money by stream, proposed and approved, in đồng; None where there is none."""
    states = [(cycle, state) for cycle, state in _states(unit, day) if any(state.budgets.values())]
    if not states:
        return None
    rows, numbers = [], []
    for cycle, state in states:
        for stream in Stream.values:
            amounts = (state.budgets[stream], state.approved[stream])
            place = len(rows)
            rows.append((cycle.name, str(Stream(stream).label), *(number_text(one) for one in amounts)))
            numbers += [(place, column, float(one), "n") for column, one in enumerate(amounts, start=2)]
    proposed = sum(sum(state.budgets.values()) for _cycle, state in states)
    approved = sum(sum(state.approved.values()) for _cycle, state in states)
    sentence = _("The newest estimates come to %(all)s dong, of which %(approved)s dong are approved.") % {
        "all": number_text(proposed),
        "approved": number_text(approved),
    }
    return Annex(
        key="budget",
        sentences=(sentence,),
        caption=_("Estimates of money by stream, in dong"),
        columns=(
            _("Round of the programme"),
            _("Stream of money"),
            _("Newest estimate"),
            _("Amount approved"),
        ),
        rows=tuple(rows),
        numbers=tuple(numbers),
    )
