"""A report as data: sections of sentences, figures and tables, and what a report must know of its cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from lsakit.tables.figures import Figure
from lsakit.tables.publication import PublicationTable
from lsakit.tables.texts import Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading of a report with what stands under it.

    Parameters
    ----------
    key : str
        Stable name of the section.
    heading : str
        Heading.
    paragraphs : tuple of str
        Sentences.
    figures : tuple of Figure
        Figures.
    tables : tuple of PublicationTable
        Tables without a picture.
    left_to_unit : bool
        Whether the words of this section are the unit's own.
    """

    key: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[PublicationTable, ...] = ()
    left_to_unit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report ready to be shown or printed.

    Parameters
    ----------
    title : str
        Title.
    subtitle : str
        The cycle.
    language : str
        ``"vi"`` or ``"en"``.
    province : str or None
        Code of the province; None for the nation.
    sections : tuple of Section
        Sections in order.
    source_line : str
        Source and method in one sentence, printed under every page.
    """

    title: str
    subtitle: str
    language: str
    province: str | None
    sections: tuple[Section, ...]
    source_line: str


def in_print(section: Section, language: str) -> tuple[tuple[str, ...], tuple[PublicationTable, ...]]:
    """Give what of a section stands on paper: its sentences, and the tables that are not too long.

    Parameters
    ----------
    section : Section
        The section.
    language : str
        ``"vi"`` or ``"en"``.

    Returns
    -------
    sentences : tuple of str
        The section's, and one that names the tables of the workbook alone, where there are such.
    tables : tuple of PublicationTable
        The tables to print.
    """
    printed = tuple(table for table in section.tables if table.is_printed)
    others = "; ".join(table.caption for table in section.tables if not table.is_printed)
    if not others:
        return section.paragraphs, printed
    return (*section.paragraphs, Texts(language).say("report.in_workbook", tables=others)), printed


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCycle:
    """What a report must know of its cycle.

    Parameters
    ----------
    title : str
        Name of the cycle in the report's language.
    n_plausible_values : int
        Plausible values per student.
    n_replicates : int
        Replicate weights.
    minimum_students : int
        Suppression rule: students behind a figure.
    minimum_schools : int
        Suppression rule: schools behind a figure.
    year, earlier_year : int
        Year of this and of the previous cycle, where changes are told.
    cuts : tuple of float
        Lower bounds of levels 1, 2, … on the reporting scale, points; empty where they are not told.
    regions : Mapping of str to str
        Region of each province, by codes; a province of no known region is shown without one.
    participation : polars.DataFrame or None
        Sampling outcomes by place, as the stage of the estimates gives them; None where they are not told.
    """

    title: str
    n_plausible_values: int = 10
    n_replicates: int = 80
    minimum_students: int = 30
    minimum_schools: int = 5
    year: int = 2026
    earlier_year: int = 2023
    cuts: tuple[float, ...] = ()
    regions: Mapping[str, str] = field(default_factory=dict, compare=False)
    participation: pl.DataFrame | None = field(default=None, compare=False, repr=False)
