"""The lines of a school's roster as pages and files show them: under study ids, or with names once opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from dienrong.core.text import person_sort_key, search_key
from dienrong.rosters.models import StaffPlace, StudentPlace
from dienrong.rosters.vault import Identity


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One person of a roster: the place, and the identity where names are open and one is kept."""

    study_id: str
    person: Any
    place: StudentPlace | StaffPlace
    identity: Identity | None = None


def lines(places: Sequence[Any], identities: Mapping[str, Identity] | None = None) -> list[Line]:
    """Make the lines of places; with names they are sorted as people are, those without an identity last."""
    if identities is None:
        return [Line(owner_of(place), _person(place), place) for place in places]
    found = [
        Line(owner_of(place), _person(place), place, identities.get(owner_of(place))) for place in places
    ]
    return sorted(found, key=_order)


def matching(found: Sequence[Line], words: str) -> list[Line]:
    """Keep the lines whose name or code has every word; marks and capitals do not matter."""
    wanted = search_key(words).split()
    return [line for line in found if line.identity is not None and _has(line.identity, wanted)]


def _has(identity: Identity, wanted: Sequence[str]) -> bool:
    """Tell whether a name or code has every word."""
    key = f"{search_key(identity.full_name)} {identity.code.lower()}"
    return all(word in key for word in wanted)


def _order(line: Line) -> tuple[bool, bool, str, str]:
    """Order by name; people who left, then people whose identity was deleted, stand last."""
    has_left = getattr(line.place, "status", StudentPlace.Status.STUDYING) != StudentPlace.Status.STUDYING
    if line.identity is None:
        return (True, has_left, "", line.study_id)
    return (False, has_left, person_sort_key(line.identity.full_name), line.study_id)


def owner_of(place: Any) -> str:
    """Give the study id of a place."""
    return str(place.student_id if isinstance(place, StudentPlace) else place.staff_id)


def _person(place: Any) -> Any:
    """Give the person of a place."""
    return place.student if isinstance(place, StudentPlace) else place.staff
