"""Single events of schools as they would be: checked against the registry of the moment, nothing written."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from dienrong.core.text import clean_text
from dienrong.registry.models import TRAITS, AdministrativeUnit, School, SchoolEvent
from dienrong.registry.operations.applying import (
    Decision,
    Happening,
    demand_date,
    demand_free_code,
    demand_scope,
)
from dienrong.registry.operations.refusals import IncompleteEvent, UnknownCommune
from dienrong.registry.queries.sharing import Shares, shareable, sharing_problem
from dienrong.registry.versions import joined_levels, set_traits


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NewSchool:
    """A school that an event makes; traits that are not named come from the school before it."""

    code: str
    name: str
    commune: AdministrativeUnit | None = None
    traits: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def plan_opening(*, new: NewSchool, decision: Decision, by: Any | None) -> Happening:
    """Say what opening a school would be.

    Raises
    ------
    Refusal
        If the day has not come, the code is taken, something is missing or the commune is not the person's.
    """
    demand_date((), decision.on_date)
    school = make_school(new, None, decision)
    demand_scope(by, [school])
    demand_free_code(school.school_id)
    return Happening(kind=SchoolEvent.Kind.OPEN, successors=(school,))


def plan_merger(
    *, schools: Sequence[School], successor: School | NewSchool, decision: Decision, by: Any | None
) -> Happening:
    """Say what merging schools would be.

    Raises
    ------
    Refusal
        If fewer than two schools take part, one is closed or not the person's, or day or code do not fit.
    """
    joined = {school.pk: school for school in schools}
    if isinstance(successor, School):
        joined.setdefault(successor.pk, successor)
    if len(joined) < 2:
        raise IncompleteEvent(_("A merger needs two schools or more."), hint=_("Add the schools that merge."))
    before = tuple(joined.values())
    demand_scope(by, before)
    demand_date(before, decision.on_date)
    if isinstance(successor, School):
        after = copy.copy(successor)
        set_traits(after, {"levels": joined_levels(before)})
    else:
        demand_free_code(successor.code)
        after = make_school(successor, before[0], decision)
        if "levels" not in successor.traits:
            set_traits(after, {"levels": joined_levels(before)})
        demand_scope(by, [after])
    return Happening(kind=SchoolEvent.Kind.MERGE, predecessors=before, successors=(after,))


def plan_split(
    *,
    school: School,
    parts: Sequence[tuple[School | NewSchool, Shares]],
    decision: Decision,
    by: Any | None,
) -> Happening:
    """Say what splitting a school would be.

    Raises
    ------
    Refusal
        If fewer than two successors are named, the shares do not add up to the pupils that the school has, or
        day, code or unit do not fit.
    """
    if len(parts) < 2:
        raise IncompleteEvent(
            _("A split needs two schools or more after it."), hint=_("Name every school that goes on.")
        )
    standing = [part for part, _shares in parts if isinstance(part, School)]
    demand_scope(by, [school, *standing])
    demand_date([school, *(part for part in standing if part.pk != school.pk)], decision.on_date)
    known = shareable([school.pk], decision.on_date)[school.pk]
    problem = sharing_problem(known, [shares for _part, shares in parts])
    if problem is not None:
        raise IncompleteEvent(problem[0], hint=problem[1])
    after = []
    for part, _shares in parts:
        if isinstance(part, NewSchool):
            demand_free_code(part.code)
            made = make_school(part, school, decision)
            demand_scope(by, [made])
            after.append(made)
        else:
            after.append(part)
    _demand_distinct([made.school_id for made in after])
    return Happening(
        kind=SchoolEvent.Kind.SPLIT,
        predecessors=(school,),
        successors=tuple(after),
        shares={place: dict(shares) for place, (_part, shares) in enumerate(parts)},
        school_year=known.school_year,
    )


def plan_closing(*, school: School, decision: Decision, by: Any | None) -> Happening:
    """Say what closing a school without successor would be.

    Raises
    ------
    Refusal
        If it is closed already, is not the person's, or the day does not fit.
    """
    demand_scope(by, [school])
    demand_date([school], decision.on_date)
    return Happening(kind=SchoolEvent.Kind.CLOSE, predecessors=(school,))


def plan_renaming(*, school: School, name: str, decision: Decision, by: Any | None) -> Happening:
    """Say what giving a school another name would be.

    Raises
    ------
    Refusal
        If the name is empty or the same, the school is closed or not the person's, or the day does not fit.
    """
    return _changed(school, SchoolEvent.Kind.RENAME, {"name": _named(name)}, decision, by)


def plan_recoding(*, school: School, code: str, decision: Decision, by: Any | None) -> Happening:
    """Say what giving a school another code would be.

    Raises
    ------
    Refusal
        If the code is empty or taken, the school is closed or not the person's, or the day does not fit.
    """
    code = clean_text(code)
    if not code or len(code) > 20:
        raise IncompleteEvent(
            _("The new code is missing or too long."), hint=_("A code has 1 to 20 characters.")
        )
    demand_scope(by, [school])
    demand_date([school], decision.on_date)
    demand_free_code(code)
    after = copy.copy(school)
    after.school_id = code
    set_traits(after, {})
    return Happening(kind=SchoolEvent.Kind.RECODE, predecessors=(school,), successors=(after,))


def plan_change(
    *, school: School, traits: Mapping[str, Any], decision: Decision, by: Any | None
) -> Happening:
    """Say what changing traits of a school would be.

    Raises
    ------
    Refusal
        If nothing differs, the school is closed or not the person's, or the day does not fit.
    """
    return _changed(school, SchoolEvent.Kind.CHANGE, traits, decision, by)


def make_school(new: NewSchool, model: School | None, decision: Decision) -> School:
    """Make the row of a new school after the model of the school before it; nothing is written.

    Raises
    ------
    IncompleteEvent
        If code, name, commune or levels are missing.
    UnknownCommune
        If the commune is not in force on the day.
    """
    school = (
        copy.copy(model) if model is not None else School(levels="", area=School.Area.RURAL, sector="public")
    )
    if model is not None:
        _forget_own_data(school)
    code, name = clean_text(new.code), _named(new.name)
    if not code or len(code) > 20:
        raise IncompleteEvent(_("A new school needs its code."), hint=_("A code has 1 to 20 characters."))
    if new.commune is not None:
        place_in(school, new.commune, decision)
    if school.commune_id is None:
        raise IncompleteEvent(_("A new school needs its commune."), hint=_("Choose the commune."))
    school.school_id, school.opened_date, school.is_open = code, decision.on_date, True
    school.data_at = decision.on_date
    set_traits(school, {**new.traits, "name": name})
    if not school.levels:
        raise IncompleteEvent(_("A new school needs its levels."), hint=_("Choose at least one level."))
    return school


def _forget_own_data(school: School) -> None:
    """Make a copy of a school a new one: no row, no contacts, no confirmation."""
    school.pk = None
    school._state.adding = True
    for field in ("address", "phone", "email"):
        setattr(school, field, "")
    school.latitude = school.longitude = school.founded_date = school.closed_date = None
    school.confirmed_at = school.confirmed_by = None
    school.n_satellite_sites = 0
    school._prefetched_objects_cache = {}


def place_in(school: School, commune: AdministrativeUnit, decision: Decision) -> None:
    """Put a school into a commune of the day, and into its province."""
    ends = commune.valid_to
    if (
        commune.level != "commune"
        or commune.valid_from > decision.on_date
        or (ends and ends <= decision.on_date)
    ):
        raise UnknownCommune(
            _("%(name)s is not a commune in force on that day.") % {"name": commune.full_name},
            hint=_("Choose a commune that is in force."),
        )
    school.commune, school.province = commune, commune.parent
    school.area = School.Area.URBAN if commune.kind == "ward" else School.Area.RURAL


def _named(name: str) -> str:
    """Give a clean name, or refuse."""
    name = clean_text(name)
    if not name or len(name) > 200:
        raise IncompleteEvent(
            _("The name of the school is missing or too long."), hint=_("A name has 1 to 200 characters.")
        )
    return name


def _changed(
    school: School, kind: str, traits: Mapping[str, Any], decision: Decision, by: Any | None
) -> Happening:
    """Make an event that changes traits alone."""
    demand_scope(by, [school])
    demand_date([school], decision.on_date)
    after = copy.copy(school)
    traits = dict(traits)
    commune = traits.pop("commune", None)
    if commune is not None:
        place_in(after, commune, decision)
        demand_scope(by, [after])
    unknown = sorted(set(traits) - set(TRAITS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no trait of a school")
    set_traits(after, traits)
    if all(getattr(after, name) == getattr(school, name) for name in TRAITS):
        raise IncompleteEvent(_("Nothing was changed."), hint=_("Change something, or go back."))
    return Happening(kind=kind, predecessors=(school,), successors=(after,))


def _demand_distinct(codes: list[str]) -> None:
    """Refuse a successor that is named twice."""
    if len(set(codes)) != len(codes):
        raise IncompleteEvent(_("A school is named twice."), hint=_("Name every school once."))
