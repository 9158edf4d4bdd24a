"""Indicators of the plans: each in words and in code, with what the plans leave open as settings beside the number.

Prose: docs/algorithms/plan_indicators.md. People are counted by the capacity room; schools and programmes here.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dienrong.capacity.indicators import INDICATORS as PEOPLE
from dienrong.capacity.indicators import Indicator as PeopleIndicator
from dienrong.capacity.indicators import UnknownIndicator

VERSION = "plans.indicator/1"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One thing that the plans leave open: its name, its question, and what may be chosen, the first by default."""

    name: str
    question: Any
    choices: tuple[tuple[str, Any], ...]


MEASURE = Option(
    name="measure",
    question=gettext_lazy("Does somebody who was trained and holds no certificate count?"),
    choices=(
        ("certified", gettext_lazy("No: trained and certified, as the plans say")),
        ("trained", gettext_lazy("Yes: trained is enough")),
    ),
)
PERIOD = Option(
    name="period",
    question=gettext_lazy("Is the share of one year, or of all years together?"),
    choices=(
        ("cumulative", gettext_lazy("All years together")),
        ("year", gettext_lazy("Each calendar year anew")),
    ),
)
PERIOD_YEARLY = dataclasses.replace(PERIOD, choices=PERIOD.choices[::-1])
CONTINUING = Option(
    name="with_continuing",
    question=gettext_lazy("Do continuing education centers count?"),
    choices=(("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))),
)
INCLUSION = Option(
    name="with_inclusion",
    question=gettext_lazy("Do centers supporting inclusive education count?"),
    choices=(("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No"))),
)
WHERE = Option(
    name="only_participating",
    question=gettext_lazy("Of which schools are managers and teachers counted?"),
    choices=(
        ("yes", gettext_lazy("Schools that take part in an assessment in the year")),
        ("no", gettext_lazy("All schools")),
    ),
)
DENOMINATOR = Option(
    name="denominator",
    question=gettext_lazy("Who are all managers and teachers?"),
    choices=(
        ("staff_lists", gettext_lazy("The register, and the staff lists where they show more")),
        ("register", gettext_lazy("The register alone")),
    ),
)
EXPERTS = Option(
    name="levels",
    question=gettext_lazy("Which core experts are those of the province?"),
    choices=(
        ("all", gettext_lazy("Those of department, communes and schools")),
        ("province", gettext_lazy("Those of the department alone")),
    ),
)
FULL = Option(
    name="full",
    question=gettext_lazy("When has a school taken part fully?"),
    choices=(
        ("concluded", gettext_lazy("Every step of the procedure is concluded")),
        ("tested", gettext_lazy("The test was held and reported")),
    ),
)
REPLACED = Option(
    name="replaced",
    question=gettext_lazy("Does a school count for which a replacement took part?"),
    choices=(
        ("no", gettext_lazy("No: only the school that was drawn")),
        ("yes", gettext_lazy("Yes: the replacement stands for it")),
    ),
)
TURNS = Option(
    name="period",
    question=gettext_lazy("Of which time are the samples?"),
    choices=(
        ("phase", gettext_lazy("The whole phase up to the day")),
        ("year", gettext_lazy("The calendar year of the day")),
    ),
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PlanIndicator:
    """An indicator that targets name.

    Parameters
    ----------
    code : str
        Name by which targets ask for it.
    title : str
        Title on pages and in reports.
    counts : {"people", "schools", "programmes"}
        What is counted.
    options : tuple of Option
        What the plans leave open.
    """

    code: str
    title: Any
    counts: str
    options: tuple[Option, ...]

    def chosen(self, choices: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give every option with its value: what was chosen, else the first of its choices.

        Raises
        ------
        UnknownIndicator
            If a choice names no option, or a value that the option does not offer.
        """
        given = dict(choices or {})
        known = {one.name: [value for value, _word in one.choices] for one in self.options}
        for name, value in given.items():
            if value not in known.get(name, ()):
                raise UnknownIndicator(
                    _("“%(value)s” is no choice of “%(name)s”.") % {"value": value, "name": name},
                    hint=_("Choose one of the answers that the page offers."),
                )
        return {name: given.get(name, values[0]) for name, values in known.items()}

    def people(self, choices: Mapping[str, str]) -> PeopleIndicator:
        """Give the definition of the capacity room that these choices mean."""
        base = PEOPLE[self.code]
        changes: dict[str, Any] = {}
        for name, value in choices.items():
            if name in ("with_continuing", "with_inclusion", "only_participating"):
                changes[name] = value == "yes"
            elif name == "levels":
                changes[name] = base.levels if value == "all" else ("province",)
            else:
                changes[name] = value
        return dataclasses.replace(base, **changes)

    def sentences(self, choices: Mapping[str, str]) -> tuple[str, ...]:
        """Say the definition in plain words, one sentence for each choice."""
        if self.counts == "people":
            return self.people(choices).sentences
        said = [str(one) for one in WORDS[self.counts]]
        said += [str(ANSWERS[(name, value)]) for name, value in choices.items()]
        return tuple(said)


WORDS = {
    "schools": (
        gettext_lazy(
            "Counted are the schools that were drawn into a sample, once for each sample; a school that was not eligible, or closed, by the codes of the programme does not count."
        ),
    ),
    "programmes": (
        gettext_lazy(
            "Counted are the samples of assessment programmes in which schools of the unit were drawn. A sample counts as taken part in when each of these schools has taken part fully or been replaced, or has a reason by the codes of the programme."
        ),
    ),
}
ANSWERS = {
    ("full", "concluded"): gettext_lazy(
        "Fully: list, selection, sessions and reports are complete and the school is concluded."
    ),
    ("full", "tested"): gettext_lazy(
        "Fully: every person selected has an outcome and the sessions are reported."
    ),
    ("replaced", "no"): gettext_lazy(
        "A school for which a replacement took part does not count as taken part."
    ),
    ("replaced", "yes"): gettext_lazy("A school for which a replacement took part counts as taken part."),
    ("period", "phase"): gettext_lazy("Samples whose tests fall into the phase, up to the day."),
    ("period", "year"): gettext_lazy("Samples whose tests fall into the calendar year of the day."),
    ("with_continuing", "yes"): gettext_lazy("Continuing education centers in a sample are counted."),
    ("with_continuing", "no"): gettext_lazy("Continuing education centers in a sample are not counted."),
    ("with_inclusion", "yes"): gettext_lazy(
        "Centers supporting inclusive education in a sample are counted."
    ),
    ("with_inclusion", "no"): gettext_lazy(
        "Centers supporting inclusive education in a sample are not counted."
    ),
}

INDICATORS = {
    one.code: one
    for one in (
        PlanIndicator(
            code="programmes",
            title=gettext_lazy("Assessment programmes taken part in"),
            counts="programmes",
            options=(FULL, TURNS),
        ),
        PlanIndicator(
            code="participation",
            title=gettext_lazy("Sampled institutions that take part fully"),
            counts="schools",
            options=(FULL, REPLACED, TURNS, CONTINUING, INCLUSION),
        ),
        PlanIndicator(
            code="core_experts",
            title=gettext_lazy("Core experts trained and certified"),
            counts="people",
            options=(MEASURE, PERIOD, EXPERTS),
        ),
        PlanIndicator(
            code="testing_staff",
            title=gettext_lazy("Testing staff of the department trained and certified"),
            counts="people",
            options=(MEASURE, PERIOD),
        ),
        PlanIndicator(
            code="school_staff",
            title=gettext_lazy("Managers and teachers of participating institutions certified"),
            counts="people",
            options=(MEASURE, PERIOD_YEARLY, WHERE, DENOMINATOR, CONTINUING, INCLUSION),
        ),
        PlanIndicator(
            code="test_administrators",
            title=gettext_lazy("Test administrators trained and certified"),
            counts="people",
            options=(MEASURE, PERIOD),
        ),
        PlanIndicator(
            code="coders",
            title=gettext_lazy("Coders trained and certified"),
            counts="people",
            options=(MEASURE, PERIOD),
        ),
        PlanIndicator(
            code="external_assessors",
            title=gettext_lazy("External assessors trained and certified"),
            counts="people",
            options=(MEASURE, PERIOD),
        ),
    )
}


def indicator_of(code: str) -> PlanIndicator:
    """Give an indicator by its name.

    Raises
    ------
    UnknownIndicator
        If there is none of this name.
    """
    try:
        return INDICATORS[code]
    except KeyError:
        raise UnknownIndicator(
            _("There is no indicator named “%(code)s”.") % {"code": code},
            hint=_("Known are: %(known)s.") % {"known": ", ".join(INDICATORS)},
        ) from None


def definition_hash(code: str, choices: Mapping[str, str]) -> str:
    """Give the hash of a definition: its version, its name and every choice, in a canonical form."""
    return digest_of({"version": VERSION, "indicator": code, "choices": dict(choices)})


def digest_of(value: Any) -> str:
    """Give the SHA-256 of a value as canonical JSON."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
