"""Events are applied here, one or a thousand at once: with as many queries, and in the caller's transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from dienrong.accounts import operations as people
from dienrong.accounts import permissions
from dienrong.core import clock
from dienrong.core.formats import day_text
from dienrong.registry.models import (
    AdministrativeUnit,
    MergerBatch,
    School,
    SchoolEvent,
    SchoolSuccession,
    SchoolVersion,
    SuccessionCount,
)
from dienrong.registry.operations.refusals import (
    CodeTaken,
    OutOfScope,
    SchoolClosed,
    SomethingDepends,
    WrongDate,
)
from dienrong.registry.queries.history import accepted_for
from dienrong.registry.signals import schools_changed
from dienrong.registry.versions import LIVE_FIELDS, version_of

CHUNK = 500
ENDING = (SchoolEvent.Kind.MERGE, SchoolEvent.Kind.SPLIT, SchoolEvent.Kind.CLOSE)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision behind an event: the day on which it takes effect, its number and its own day."""

    on_date: date
    number: str = ""
    signed_on: date | None = None
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event that is about to be applied.

    Parameters
    ----------
    kind : str
        One of ``SchoolEvent.Kind``.
    predecessors : tuple of School
        The schools before it; none for an opening.
    successors : tuple of School
        The schools after it, with the code and the traits that they shall have; those without a row are made.
    shares : mapping of int to mapping of int to (int, int)
        For a split: pupils and classes by grade, by the place of the successor.
    school_year : str
        For a split: the school year of these counts.
    line_number : int
        The line of the batch.
    """

    kind: str
    predecessors: tuple[School, ...] = ()
    successors: tuple[School, ...] = ()
    shares: Mapping[int, Mapping[int, tuple[int, int]]] = dataclasses.field(default_factory=dict)
    school_year: str = ""
    line_number: int = 0

    @property
    def ending(self) -> tuple[School, ...]:
        """The schools that end by it: predecessors that are no successors."""
        if self.kind not in ENDING:
            return ()
        going_on = {school.pk for school in self.successors if school.pk}
        return tuple(school for school in self.predecessors if school.pk not in going_on)


def demand_scope(by: Any | None, schools: Iterable[School]) -> None:
    """Refuse a person in whose units one of the schools does not lie; the system itself may do everything.

    Raises
    ------
    OutOfScope
        If a school lies elsewhere.
    """
    if by is None:
        return
    scope = permissions.scope_of(by)
    for school in schools:
        if not scope.covers(school.province.code, school.commune.code, school.school_id):
            raise OutOfScope(
                _("This school does not belong to your unit."), whom_to_ask=permissions.whom_to_ask(by)
            )


def demand_province(province: AdministrativeUnit, by: Any | None) -> None:
    """Refuse a person whose province it is not.

    Raises
    ------
    OutOfScope
        If the province is not the person's.
    """
    if by is not None and not permissions.scope_of(by).covers(province.code):
        raise OutOfScope(_("This province is not in your charge."), whom_to_ask=permissions.whom_to_ask(by))


def demand_date(schools: Sequence[School], on_date: date) -> None:
    """Refuse a day in the future, and a day on or before the last change of a school.

    Raises
    ------
    SchoolClosed
        If a school is closed.
    WrongDate
        If the day does not fit.
    """
    if on_date > clock.today():
        raise WrongDate(
            _("%(day)s has not come yet.") % {"day": day_text(on_date)},
            hint=_("Record it on that day or later, or put it into a batch, which may be accepted ahead."),
        )
    last = last_versions(schools)
    demand_nothing_accepted(schools)
    for school in schools:
        if not school.is_open:
            raise SchoolClosed(
                _("School %(code)s is closed since %(day)s.")
                % {"code": school.school_id, "day": day_text(school.closed_date)},
                hint=_("Check the code; if the closing was a mistake, undo it first."),
            )
        version = last.get(school.pk)
        if version is not None and on_date <= version.valid_from:
            raise WrongDate(
                _("Something is known of school %(code)s from %(day)s on; the day must be later.")
                % {"code": school.school_id, "day": day_text(version.valid_from)},
                hint=_("Choose a later day, or undo what was recorded last."),
            )


def demand_nothing_accepted(schools: Iterable[School]) -> None:
    """Refuse schools with which something is to happen on a later day by an accepted batch.

    Raises
    ------
    SomethingDepends
        If a school stands in such a batch.
    """
    rows = list(schools)
    found = accepted_for(school.pk for school in rows)
    for school in rows:
        if school.pk in found:
            day, title = found[school.pk]
            raise SomethingDepends(
                _("School %(code)s stands in the batch “%(title)s”, which is accepted for %(day)s.")
                % {"code": school.school_id, "title": title, "day": day_text(day)},
                hint=_("Record this after that day, or take the acceptance of the batch back first."),
            )


def demand_free_code(code: str, *, but: School | None = None) -> None:
    """Refuse a code that another school has or had.

    Raises
    ------
    CodeTaken
        If the code belongs to another school.
    """
    holder = School.objects.filter(school_id=code).first()
    former = SchoolVersion.objects.select_related("school").filter(code=code).first()
    found = holder or (former.school if former else None)
    if found is not None and (but is None or found.pk != but.pk):
        raise CodeTaken(
            _("Code %(code)s belongs to another school.") % {"code": code},
            hint=_("Codes are never given again; ask for a new one."),
        )


def last_versions(schools: Iterable[School]) -> dict[int, SchoolVersion]:
    """Give the versions that hold still, by school."""
    found = SchoolVersion.objects.filter(
        school__in=[school.pk for school in schools if school.pk], valid_to__isnull=True
    )
    return {version.school_id: version for version in found.order_by()}


def apply_happenings(
    happenings: Sequence[Happening], *, decision: Decision, by: Any | None, batch: MergerBatch | None = None
) -> list[SchoolEvent]:
    """Write events with their successions, versions and schools; whoever calls has checked them.

    A day in the future is written into versions, events and successions alone; the schools themselves stay what
    they are today until ``turn_day`` lets them follow, and schools that begin on that day are not open before.

    Invariant: of a day on which nothing more is to come, a school has a version without end exactly while it is
    open, and that version is what the school's own row says.
    """
    is_due = decision.on_date <= clock.today()
    new = [school for happening in happenings for school in happening.successors if school.pk is None]
    for school in new:
        school.is_open = is_due
    School.objects.bulk_create(new, batch_size=CHUNK)
    made = {school.pk for school in new}
    events = SchoolEvent.objects.bulk_create(
        [_event(happening, decision, by, batch) for happening in happenings], batch_size=CHUNK
    )
    _write_successions(list(zip(happenings, events, strict=True)))
    ending = [school for happening in happenings for school in happening.ending]
    changing = [
        (school, event)
        for happening, event in zip(happenings, events, strict=True)
        for school in happening.successors
    ]
    last = last_versions([*ending, *(school for school, _event in changing)])
    _end(ending, last, decision.on_date)
    written = _change(changing, made, last, decision.on_date)
    if is_due:
        close_now(ending, decision.on_date)
        _write_live(written, last)
    touched = {school.pk for school in ending} | {school.pk for school, _event in changing}
    schools_changed.send(sender=SchoolEvent, school_keys=sorted(touched))
    return events


def _event(
    happening: Happening, decision: Decision, by: Any | None, batch: MergerBatch | None
) -> SchoolEvent:
    """Make the row of an event."""
    named = happening.successors[0] if len(happening.successors) == 1 else None
    return SchoolEvent(
        kind=happening.kind,
        state=SchoolEvent.State.APPLIED,
        batch=batch,
        line_number=happening.line_number,
        on_date=decision.on_date,
        decision_number=decision.number,
        decision_date=decision.signed_on,
        new_code=named.school_id if named else "",
        new_name=named.name if named else "",
        note=decision.note,
        recorded_at=clock.now(),
        recorded_by=by,
    )


def _write_successions(pairs: list[tuple[Happening, SchoolEvent]]) -> None:
    """Write who became whom, and the shares of splits."""
    rows: list[SchoolSuccession] = []
    shares: list[tuple[SchoolSuccession, Happening, int]] = []
    for happening, event in pairs:
        for before in happening.predecessors or (None,):
            for place, after in enumerate(happening.successors or (None,)):
                row = SchoolSuccession(event=event, predecessor=before, successor=after)
                rows.append(row)
                if place in happening.shares:
                    shares.append((row, happening, place))
    SchoolSuccession.objects.bulk_create(rows, batch_size=CHUNK)
    SuccessionCount.objects.bulk_create(
        [
            SuccessionCount(
                succession=row,
                school_year=happening.school_year,
                grade=grade,
                n_students=n_students,
                n_classes=n_classes,
            )
            for row, happening, place in shares
            for grade, (n_students, n_classes) in sorted(happening.shares[place].items())
        ],
        batch_size=CHUNK,
    )


def _end(ending: list[School], last: dict[int, SchoolVersion], on_date: date) -> None:
    """End the versions of schools that end."""
    ended = [last[school.pk].pk for school in ending if school.pk in last]
    SchoolVersion.objects.filter(pk__in=ended).update(valid_to=on_date)


def close_now(ending: Iterable[School], on_date: date) -> None:
    """Close schools that end on a day that has come."""
    rows = list(ending)
    for school in rows:
        school.is_open, school.closed_date = False, on_date
    School.objects.filter(pk__in=[school.pk for school in rows]).update(is_open=False, closed_date=on_date)


def _change(
    changing: list[tuple[School, SchoolEvent]], made: set[int], last: dict[int, SchoolVersion], on_date: date
) -> list[School]:
    """Begin versions of new schools and of those whose traits differ; give the latter."""
    begun, ended, written = [], [], []
    for school, event in changing:
        version = version_of(school, on_date, event)
        old = last.get(school.pk)
        if old is not None and _is_alike(old, version):
            continue
        begun.append(version)
        if old is not None:
            ended.append(old.pk)
        if school.pk not in made:
            written.append(school)
    SchoolVersion.objects.filter(pk__in=ended).update(valid_to=on_date)
    SchoolVersion.objects.bulk_create(begun, batch_size=CHUNK)
    return written


def _write_live(written: list[School], last: dict[int, SchoolVersion]) -> None:
    """Let the rows of schools say what their new versions say, and their people follow."""
    School.objects.bulk_update(written, LIVE_FIELDS, batch_size=CHUNK)
    move_people((last[school.pk].code, last[school.pk].commune_id, school) for school in written)


def move_people(moved: Iterable[tuple[str, int, School]]) -> None:
    """Let the people of schools follow them to a new code or commune: (code before, commune before, school)."""
    elsewhere = []
    for code, commune, school in moved:
        if code != school.school_id:
            people.follow_code(old=code, new=school.school_id)
        if commune != school.commune_id:
            elsewhere.append(school.school_id)
    if elsewhere:
        people.refresh_places(unit_codes=elsewhere)


def _is_alike(old: SchoolVersion, new: SchoolVersion) -> bool:
    """Tell whether two versions say the same."""
    names = [field.attname for field in SchoolVersion._meta.concrete_fields]
    apart = ("id", "event_id", "valid_from", "valid_to")
    return all(getattr(old, name) == getattr(new, name) for name in names if name not in apart)
