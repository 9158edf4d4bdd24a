"""A school and its versions: the same traits in two places, and the way from one to the other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dienrong.core.text import search_key, sort_key
from dienrong.registry.columns import LEVELS
from dienrong.registry.models import TRAITS, School, SchoolEvent, SchoolVersion

TRAIT_ATTRIBUTES = tuple(School._meta.get_field(name).attname for name in TRAITS)
"""The traits as they are stored: units by their keys."""
PROVINCIAL_LEVELS = ("THPT", "GDTX")
"""Levels whose schools the provincial department manages, as a rule."""
LIVE_FIELDS = (*TRAITS, "school_id", "is_boarding", "search_key", "sort_key", "is_open", "closed_date")
"""The fields of a school that follow its last version."""


def version_of(school: School, valid_from: date, event: SchoolEvent | None = None) -> SchoolVersion:
    """Make the version that tells of a school as it is now, from a day on."""
    return SchoolVersion(
        school=school,
        code=school.school_id,
        valid_from=valid_from,
        event=event,
        **{name: getattr(school, name) for name in TRAIT_ATTRIBUTES},
    )


def is_version_of(version: SchoolVersion, school: School) -> bool:
    """Tell whether a version has the code and the traits of a school as it is now."""
    return version.code == school.school_id and all(
        getattr(version, name) == getattr(school, name) for name in TRAIT_ATTRIBUTES
    )


def set_traits(school: School, traits: dict[str, Any]) -> None:
    """Put traits (by attribute) on a school, with all that follows from them."""
    for name, value in traits.items():
        setattr(school, name, value)
    school.is_boarding = school.boarding != School.Boarding.NONE
    school.search_key = search_key(f"{school.name} {school.school_id}")[:260]
    school.sort_key = sort_key(school.name)[:2000]


def return_to(school: School, version: SchoolVersion) -> None:
    """Make a school again what a version says of it."""
    school.school_id = version.code
    set_traits(school, {name: getattr(version, name) for name in TRAIT_ATTRIBUTES})


def joined_levels(schools: Sequence[School]) -> str:
    """Join the levels of schools, from the youngest pupils to the oldest; unknown words keep their place behind."""
    words = [word for school in schools for word in school.levels.split("-") if word]
    known = [level for level in LEVELS if level in words]
    return "-".join([*known, *dict.fromkeys(word for word in words if word not in LEVELS)])


def usual_traits(levels: str) -> dict[str, Any]:
    """Give the levels of a new school, with the kind and the managing body that most schools of them have."""
    words = levels.split("-")
    is_provincial = any(word in PROVINCIAL_LEVELS for word in words)
    return {
        "levels": levels,
        "kind": School.Kind.KINDERGARTEN if words == ["MN"] else School.Kind.GENERAL,
        "managed_by": School.ManagedBy.PROVINCE if is_provincial else School.ManagedBy.COMMUNE,
    }
