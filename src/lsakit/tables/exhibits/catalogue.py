"""What a specification may ask for: kinds of exhibits and rules of sentences, each with what it allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lsakit.tables.exhibits import drawn, place_sentences, placed, press, sentences, tabled
from lsakit.tables.exhibits.sheet import Sheet

FORMS = ("figure", "table", "workbook")
GROUPS = ("gender", "area", "ethnicity", "disadvantaged", "sector", "ses_quarter", "region6")
NATION_AND_GROUPS = ("nation", *GROUPS)
PLACES = ("region6", "province_code")
WITHIN = ("gender", "area")
CHANGED = (
    "mean",
    "gap",
    "p05",
    "p25",
    "p50",
    "p75",
    "p95",
    *(f"at_or_above_{level}" for level in range(1, 6)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of exhibit.

    Parameters
    ----------
    make : callable
        Makes it: of a sheet and a plan, and of one population and subject or of a list of such pairs.
    by : tuple of str
        Groupings where none are named.
    groupings : tuple of str
        Groupings that it allows.
    forms : tuple of str
        Forms that it has, the usual one first.
    statistics : tuple of str
        Statistics that may be chosen; none where the kind decides.
    scope : str
        ``"nation"``, ``"province"`` or ``"any"``.
    """

    make: Callable[..., Any]
    by: tuple[str, ...]
    groupings: tuple[str, ...]
    forms: tuple[str, ...] = ("figure",)
    statistics: tuple[str, ...] = ()
    scope: str = "nation"

    @property
    def is_of_pair(self) -> bool:
        """Whether it is made once for each population and subject."""
        return "figure" in self.forms


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceRule:
    """A rule that writes sentences.

    Parameters
    ----------
    write : callable
        Gives the sentences of a sheet.
    scope : str
        ``"nation"``, ``"province"`` or ``"any"``.
    """

    write: Callable[[Sheet], list[str]]
    scope: str = "nation"


_TABLE = ("table", "workbook")
_OF_PROVINCE: dict[str, Any] = {"scope": "province"}
KINDS: dict[str, Kind] = {
    "distribution": Kind(make=tabled.distribution, by=("nation",), groupings=("nation",), forms=_TABLE),
    "percentiles": Kind(make=drawn.percentiles, by=("region6",), groupings=PLACES),
    "levels": Kind(
        make=drawn.levels, by=("nation", "gender", "area"), groupings=(*NATION_AND_GROUPS, "province_code")
    ),
    "level_descriptions": Kind(
        make=tabled.level_descriptions, by=("nation",), groupings=("nation",), forms=_TABLE
    ),
    "means": Kind(make=drawn.means, by=GROUPS, groupings=(*GROUPS, "province_code")),
    "provinces": Kind(make=drawn.provinces, by=("province_code",), groupings=("province_code",)),
    "province_map": Kind(make=drawn.tile_map, by=("province_code",), groupings=("province_code",)),
    "gaps": Kind(make=drawn.gaps, by=GROUPS[:6], groupings=GROUPS[:6]),
    "trend": Kind(
        make=drawn.trend,
        by=("nation",),
        groupings=("nation", "gender", "area", "ethnicity", "disadvantaged", "region6"),
    ),
    "trend_levels": Kind(make=drawn.levels_over_cycles, by=("nation",), groupings=("nation",)),
    "changes": Kind(
        make=tabled.changes,
        by=("nation", "gender"),
        groupings=("nation", "gender", "area", "ethnicity", "disadvantaged", "region6"),
        forms=_TABLE,
        statistics=CHANGED,
    ),
    "gradient": Kind(make=drawn.gradient, by=("nation",), groupings=("nation", "region6")),
    "gradients": Kind(
        make=tabled.gradients,
        by=("nation", "area", "region6"),
        groupings=("nation", "area", *PLACES),
        forms=_TABLE,
    ),
    "ses_scatter": Kind(make=drawn.ses_scatter, by=("region6",), groupings=PLACES),
    "comparison": Kind(make=drawn.comparison, by=("region6",), groupings=PLACES),
    "comparisons": Kind(
        make=tabled.comparisons, by=("province_code",), groupings=PLACES, forms=("workbook", "table")
    ),
    "domains": Kind(
        make=tabled.domains,
        by=("nation", "gender"),
        groupings=("nation", "gender", *PLACES),
        forms=_TABLE,
    ),
    "relative_strengths": Kind(make=drawn.relative_strengths, by=("region6",), groupings=("gender", *PLACES)),
    "participation": Kind(
        make=tabled.participation,
        by=("nation",),
        groupings=("nation", "province_code"),
        forms=_TABLE,
        scope="any",
    ),
    "every_estimate": Kind(
        make=tabled.every_estimate, by=("nation",), groupings=("nation",), forms=("workbook",), scope="any"
    ),
    "results": Kind(make=tabled.results, by=("nation",), groupings=("nation",), forms=_TABLE),
    "place_means": Kind(make=placed.place_means, by=WITHIN, groupings=WITHIN, **_OF_PROVINCE),
    "place_levels": Kind(make=placed.place_levels, by=PLACES, groupings=PLACES, **_OF_PROVINCE),
    "place_gaps": Kind(make=placed.place_gaps, by=WITHIN, groupings=WITHIN, forms=_TABLE, **_OF_PROVINCE),
    "place_domains": Kind(
        make=placed.place_domains,
        by=("province_code",),
        groupings=("province_code",),
        forms=_TABLE,
        **_OF_PROVINCE,
    ),
}
"""Kinds of exhibits by name."""

SENTENCES: dict[str, SentenceRule] = {
    "headline": SentenceRule(write=sentences.headline),
    "change": SentenceRule(write=sentences.change),
    "change_of_gaps": SentenceRule(write=sentences.change_of_gaps),
    "gaps": SentenceRule(write=sentences.gaps),
    "regions": SentenceRule(write=sentences.regions),
    "gradient": SentenceRule(write=sentences.gradient),
    "domains": SentenceRule(write=sentences.domains),
    "method": SentenceRule(write=sentences.method, scope="any"),
    "method_change": SentenceRule(write=sentences.method_change),
    "method_notes": SentenceRule(write=sentences.method_notes),
    "left_out": SentenceRule(write=sentences.left_out, scope="any"),
    "place_results": SentenceRule(write=place_sentences.place_results, scope="province"),
    "place_participation": SentenceRule(write=place_sentences.place_participation, scope="province"),
    "evidence_below": SentenceRule(write=place_sentences.evidence_below, scope="province"),
    "evidence_conditions": SentenceRule(write=place_sentences.evidence_conditions, scope="province"),
    "evidence_domains": SentenceRule(write=place_sentences.evidence_domains, scope="province"),
    "evidence_quality": SentenceRule(write=place_sentences.evidence_quality, scope="province"),
    "to_be_written": SentenceRule(write=place_sentences.to_be_written, scope="any"),
    "press_sample": SentenceRule(write=press.press_sample),
    "press_means": SentenceRule(write=press.press_means),
    "press_levels": SentenceRule(write=press.press_levels),
    "press_conditions": SentenceRule(write=press.press_conditions),
    "press_method": SentenceRule(write=press.press_method),
    "press_to_be_written": SentenceRule(write=press.press_to_be_written),
}
"""Rules of sentences by name."""
FOR_THE_UNIT = ("to_be_written", "press_to_be_written")
"""Rules that give way to the unit's own words."""
