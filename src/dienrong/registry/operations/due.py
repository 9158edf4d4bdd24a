"""The day on which an accepted batch takes effect: the schools follow the versions that were written for it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.registry.models import MergerBatch, School, SchoolEvent, SchoolSuccession, SchoolVersion
from dienrong.registry.operations.applying import CHUNK, ENDING, close_now, demand_province, move_people
from dienrong.registry.operations.refusals import WrongDate
from dienrong.registry.operations.undoing import schools_of
from dienrong.registry.queries.units import in_force
from dienrong.registry.signals import schools_changed
from dienrong.registry.versions import LIVE_FIELDS, return_to


def turn_day(*, today: date | None = None) -> list[MergerBatch]:
    """Let every accepted batch whose day has come take effect, each in a transaction of its own; give them.

    Work of the night; a second call finds nothing to do.

    Parameters
    ----------
    today : date, optional
        The day that has come; that of the clock.
    """
    day = today or clock.today()
    due = MergerBatch.objects.filter(state=MergerBatch.State.ACCEPTED, effective_date__lte=day)
    keys = due.order_by("effective_date", "pk").values_list("pk", flat=True)
    turned = [_take_effect(key, None) for key in list(keys)]
    return [batch for batch in turned if batch is not None]


def let_take_effect(*, batch: MergerBatch, by: Any | None) -> None:
    """Let one accepted batch take effect, where the night of its day has not done so.

    Raises
    ------
    OutOfScope
        If the province is not the person's.
    WrongDate
        If its day has not come.
    """
    demand_province(batch.province, by)
    if batch.effective_date > clock.today():
        raise WrongDate(
            _("%(day)s has not come yet.") % {"day": day_text(batch.effective_date)},
            hint=_("The batch takes effect on that day by itself."),
        )
    _take_effect(batch.pk, by)


@transaction.atomic
def _take_effect(key: int, by: Any | None) -> MergerBatch | None:
    """Let one batch take effect; None where somebody else did so meanwhile.

    Invariant: afterwards the row of every school that took part says what its version of the day says.
    """
    batch = MergerBatch.objects.select_for_update(of=("self",)).select_related("province").get(pk=key)
    if batch.state != MergerBatch.State.ACCEPTED:
        return None
    events = list(batch.events.filter(state=SchoolEvent.State.APPLIED))
    schools = {school.pk: school for school in schools_of(events)}
    ending = _ending(events, batch.effective_date)
    close_now([schools[pk] for pk in ending], batch.effective_date)
    moved = []
    for version in SchoolVersion.objects.filter(event__in=events).select_related("commune", "province"):
        school = schools[version.school_id]
        moved.append((school.school_id, school.commune_id, school))
        return_to(school, version)
        school.is_open, school.closed_date = True, None
    School.objects.bulk_update([school for _code, _commune, school in moved], LIVE_FIELDS, batch_size=CHUNK)
    move_people(moved)
    batch.state, batch.changed_at = MergerBatch.State.APPLIED, clock.now()
    batch.save(update_fields=["state", "changed_at"])
    record(
        action="registry.batch_took_effect",
        actor=by,
        obj=batch,
        after={"n_events": len(events), "n_ended": len(ending), "effective_date": batch.effective_date},
    )
    schools_changed.send(sender=SchoolEvent, school_keys=sorted(schools))
    return batch


def _ending(events: list[SchoolEvent], day: date) -> set[int]:
    """Give the schools that end by events: predecessors of ending events that have no version on the day."""
    before = SchoolSuccession.objects.filter(
        event__in=events, event__kind__in=ENDING, predecessor__isnull=False
    )
    taking_part = set(before.values_list("predecessor_id", flat=True))
    going_on = SchoolVersion.objects.filter(in_force(day), school__in=taking_part)
    return taking_part - set(going_on.values_list("school_id", flat=True))
