"""Indicators about people: each says in words and in data who counts, and nothing else decides.

The texts of the plans leave things open (trained or certified; yearly or cumulative; continuing education centers
in or out; whom the denominator holds). Each is a field here, shown beside the number; ``dataclasses.replace`` gives
another reading, which has another sentence.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.capacity.models import Kind, Level
from dienrong.core.refusals import Refusal
from dienrong.registry.models import School

CONTINUING = (School.Kind.CONTINUING, School.Kind.VOCATIONAL_CONTINUING)
MEASURES = ("trained", "certified")
PERIODS = ("year", "cumulative")
DENOMINATORS = ("register", "staff_lists")
VERSION = "capacity.indicator/1"


class UnknownIndicator(Refusal):
    """No indicator of this name is known."""

    code = "capacity.unknown_indicator"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """Who is counted, and what makes a person count.

    Parameters
    ----------
    code : str
        Name by which plans and pages ask for it.
    title : str
        Title on pages.
    kinds, levels : tuple of str
        Kinds and levels of the posts that make a person part of the denominator.
    measure : {"trained", "certified"}
        What makes a person count: a training completed, or a certificate of one in force.
    period : {"year", "cumulative"}
        Whether the training must have been completed, or the certificate issued, in the calendar year of the day,
        or at any time up to it.
    topics : tuple of str
        Topics of the courses that count; none means every topic.
    with_continuing, with_inclusion : bool
        Whether continuing education centers, and centers supporting inclusive education, are counted.
    only_participating : bool
        Whether only schools that take part in an assessment in the calendar year of the day are counted.
    denominator : {"register", "staff_lists"}
        Whether people are those of the register alone, or also those whom the staff lists of the schools show
        beyond the register.
    """

    code: str
    title: Any
    kinds: tuple[str, ...]
    levels: tuple[str, ...]
    measure: str = "certified"
    period: str = "cumulative"
    topics: tuple[str, ...] = ("assessment", "fieldwork")
    with_continuing: bool = True
    with_inclusion: bool = True
    only_participating: bool = False
    denominator: str = "register"

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("measure", self.measure, MEASURES),
            ("period", self.period, PERIODS),
            ("denominator", self.denominator, DENOMINATORS),
        ):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}. Got {value!r}.")
        if unknown := (set(self.kinds) - set(Kind.values)) | (set(self.levels) - set(Level.values)):
            raise ValueError(f"kinds and levels must be known. Got {', '.join(sorted(unknown))}.")

    @property
    def sentences(self) -> tuple[str, ...]:
        """The definition in plain words, one sentence for each choice."""
        kinds = ", ".join(str(Kind(kind).label) for kind in self.kinds)
        levels = ", ".join(str(Level(level).label) for level in self.levels)
        found = [
            _(
                "Counted are people who hold one of these posts on the day: %(kinds)s; level: %(levels)s. Somebody with several posts counts once."
            )
            % {"kinds": kinds, "levels": levels},
            str(MEASURE_WORDS[self.measure]),
            str(PERIOD_WORDS[(self.measure, self.period)]),
        ]
        if Level.SCHOOL in self.levels:
            found.append(str(SCHOOL_WORDS[self.only_participating]))
            found.append(str(CENTER_WORDS[(self.with_continuing, self.with_inclusion)]))
            found.append(str(DENOMINATOR_WORDS[self.denominator]))
        found.append(
            _(
                "A merged unit or school counts where it lives on; a post of a divided school counts at the province until somebody decides."
            )
        )
        return tuple(found)

    def counts_school_kind(self, kind: str) -> bool:
        """Tell whether posts at a school of this kind are counted."""
        if kind in CONTINUING:
            return self.with_continuing
        return self.with_inclusion if kind == School.Kind.INCLUSION else True


MEASURE_WORDS = {
    "trained": gettext_lazy(
        "A person counts who completed a training by the rules of its course (attendance, and the test where there is one)."
    ),
    "certified": gettext_lazy(
        "A person counts who completed a training and holds a certificate of it in force on the day: issued, not revoked, not out of date. Trained without a certificate does not count; two certificates count once."
    ),
}
PERIOD_WORDS = {
    ("trained", "year"): gettext_lazy("Yearly: completed in the calendar year of the day, up to the day."),
    ("certified", "year"): gettext_lazy(
        "Yearly: the certificate was issued in the calendar year of the day, up to the day."
    ),
    ("trained", "cumulative"): gettext_lazy("Cumulative: completed at any time up to the day."),
    ("certified", "cumulative"): gettext_lazy(
        "Cumulative: the certificate was issued at any time up to the day."
    ),
}
SCHOOL_WORDS = {
    True: gettext_lazy("Only schools that take part in an assessment in the calendar year of the day."),
    False: gettext_lazy("All schools of the unit."),
}
CENTER_WORDS = {
    (True, True): gettext_lazy(
        "Continuing education centers and centers supporting inclusive education are counted."
    ),
    (True, False): gettext_lazy(
        "Continuing education centers are counted, centers supporting inclusive education are not."
    ),
    (False, True): gettext_lazy(
        "Centers supporting inclusive education are counted, continuing education centers are not."
    ),
    (False, False): gettext_lazy(
        "Neither continuing education centers nor centers supporting inclusive education are counted."
    ),
}
DENOMINATOR_WORDS = {
    "register": gettext_lazy("All people are those of the capacity register."),
    "staff_lists": gettext_lazy(
        "All people are those of the capacity register; where the staff list of a school in the school year shows more, the list decides."
    ),
}

INDICATORS = {
    one.code: one
    for one in (
        Indicator(
            code="core_experts",
            title=gettext_lazy("Core experts trained and certified"),
            kinds=(Kind.CORE_EXPERT,),
            levels=(Level.PROVINCE, Level.COMMUNE, Level.SCHOOL),
        ),
        Indicator(
            code="testing_staff",
            title=gettext_lazy("Testing staff of the province trained and certified"),
            kinds=(Kind.TESTING_STAFF,),
            levels=(Level.PROVINCE,),
        ),
        Indicator(
            code="school_staff",
            title=gettext_lazy("Managers and teachers of participating institutions certified this year"),
            kinds=(Kind.MANAGER, Kind.TEACHER),
            levels=(Level.SCHOOL,),
            period="year",
            only_participating=True,
            denominator="staff_lists",
        ),
        Indicator(
            code="test_administrators",
            title=gettext_lazy("Test administrators trained and certified"),
            kinds=(Kind.TEST_ADMINISTRATOR,),
            levels=tuple(Level.values),
        ),
        Indicator(
            code="coders",
            title=gettext_lazy("Coders trained and certified"),
            kinds=(Kind.CODER,),
            levels=tuple(Level.values),
        ),
        Indicator(
            code="external_assessors",
            title=gettext_lazy("External assessors trained and certified"),
            kinds=(Kind.EXTERNAL_ASSESSOR,),
            levels=tuple(Level.values),
            topics=("quality",),
        ),
    )
}


def indicator_of(code: str) -> Indicator:
    """Give an indicator by its name.

    Raises
    ------
    UnknownIndicator
        If there is none of this name.
    """
    try:
        return INDICATORS[code]
    except KeyError:
        known = ", ".join(INDICATORS)
        raise UnknownIndicator(
            _("There is no indicator named “%(code)s”.") % {"code": code},
            hint=_("Known are: %(known)s.") % {"known": known},
        ) from None
