"""What a figure is, and the statistics that figures speak of."""

from __future__ import annotations

from dataclasses import dataclass

from lsakit.tables.publication import PublicationTable

LEVELS = ("below_1", "level_1", "level_2", "level_3", "level_4", "level_5")
MINIMUM_PROFICIENCY = "at_or_above_2"
DIFFERENCE = "difference_to_nation"
Place = tuple[str, str, str]
"""A group as (grouping, group, label)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture and everything that must stand beside it.

    Parameters
    ----------
    key : str
        Short name, unique within a report.
    title : str
        The finding, in one sentence.
    svg : str
        The drawing.
    note : str
        Rule, counts and comparison.
    alternative : str
        The drawing in words.
    table : PublicationTable
        The numbers drawn.
    narrow : str
        The same drawing for the width of a telephone; empty where there is one drawing for all.
    """

    key: str
    title: str
    svg: str
    note: str
    alternative: str
    table: PublicationTable
    narrow: str = ""
