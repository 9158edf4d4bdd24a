"""What a school has to share out when it is split, and whether shares add up to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date

from django.db.models import Max
from django.utils.translation import gettext as _

from dienrong.core.formats import number_text
from dienrong.registry.frame import Count
from dienrong.registry.models import SchoolEnrolment
from dienrong.registry.queries.frame import newest_school_year, pupils_on

Shares = Mapping[int, tuple[int, int]]
"""Pupils and classes by grade."""


@dataclasses.dataclass(frozen=True, slots=True)
class Shareable:
    """The pupils of a school by grade on a day, and the school year in which they were counted."""

    school_year: str
    held: Mapping[int, Count]


def shareable(schools: Sequence[int], day: date) -> dict[int, Shareable]:
    """Tell what some schools (keys) have to share out on a day, of the last school year in which each was counted.

    A school that was never counted has nothing, under the newest school year of the registry. As many queries for
    one school as for a hundred of the same year.
    """
    counted = SchoolEnrolment.objects.filter(school__in=schools, counted_on__lte=day)
    years: dict[int, str] = dict(
        counted.order_by().values("school").annotate(year=Max("school_year")).values_list("school", "year")
    )
    missing = [school for school in schools if school not in years]
    if missing:
        years |= dict.fromkeys(missing, newest_school_year(day))
    found: dict[int, Shareable] = {}
    for year in sorted(set(years.values())):
        held = pupils_on(day, year, [school for school in schools if years[school] == year])
        found |= {school: Shareable(year, counts) for school, counts in held.items()}
    return found


def sharing_problem(known: Shareable, shares: Sequence[Shares]) -> tuple[str, str] | None:
    """Say why shares do not add up to what a school has, and what to do; None where they do.

    Where no pupils of the school are known, every share is taken as it is.
    """
    if not known.held:
        return None
    for grade in sorted({*known.held, *(grade for share in shares for grade in share)}):
        given = sum(share[grade][0] for share in shares if grade in share)
        had = known.held[grade].n_students if grade in known.held else 0
        if given != had:
            return (
                _("Grade %(grade)s has %(had)s pupils, but %(given)s are shared out.")
                % {"grade": grade, "had": number_text(had), "given": number_text(given)},
                _("Correct the numbers so that every pupil goes to one school."),
            )
    return None
