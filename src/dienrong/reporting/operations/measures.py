"""Rows of what is to be done after a report: added, changed, taken out."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core.text import clean_text
from dienrong.reporting.models import Measure, ProvincialText
from dienrong.reporting.operations.refusals import WritingRefusal, demand_open, demand_writer, locked

MOST_MEASURES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureFacts:
    """What a row says."""

    finding: str
    solution: str
    owner: str
    cause: str = ""
    due: datetime.date | None = None
    follow_up: str = ""


def _cleaned(facts: MeasureFacts) -> dict[str, Any]:
    """Clean the cells; refuse a row without finding, solution or owner."""
    values = {
        name: clean_text(value) if isinstance(value, str) else value for name, value in asdict(facts).items()
    }
    missing = [name for name in ("finding", "solution", "owner") if not values[name]]
    if missing:
        names = ", ".join(str(Measure._meta.get_field(name).verbose_name) for name in missing)
        raise WritingRefusal(
            _("This row lacks: %(names)s.") % {"names": names},
            hint=_("A row names a finding, what is proposed, and who leads."),
        )
    return values


@transaction.atomic
def save_measure(
    *, text: ProvincialText, facts: MeasureFacts, measure: Measure | None = None, by: Any
) -> Measure:
    """Add a row, or change one.

    Raises
    ------
    Conflict
        If the text may not be changed now.
    WritingRefusal
        If finding, solution or owner is missing, or there are too many rows.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    values = _cleaned(facts)
    if measure is None:
        if text.measures.count() >= MOST_MEASURES:
            raise WritingRefusal(_("A report holds at most %(n)s rows.") % {"n": MOST_MEASURES})
        measure = Measure.objects.create(text=text, **values)
        record(action="reporting.measure_added", actor=by, obj=text, after=values)
        return measure
    before = {name: getattr(measure, name) for name in values}
    if before != values:
        for name, value in values.items():
            setattr(measure, name, value)
        measure.save()
        record(action="reporting.measure_changed", actor=by, obj=text, before=before, after=values)
    return measure


@transaction.atomic
def remove_measure(*, text: ProvincialText, measure: Measure, by: Any) -> None:
    """Take a row out.

    Raises
    ------
    Conflict
        If the text may not be changed now.
    """
    demand_writer(by, text.province_code)
    text = locked(text)
    demand_open(text, by)
    record(action="reporting.measure_removed", actor=by, obj=text, before={"finding": measure.finding})
    measure.delete()
