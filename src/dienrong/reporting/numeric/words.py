"""The words of an office put into a report of lsakit, so that page, PDF, Word file and workbook hold them alike."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lsakit.tables.publication import PublicationTable
from lsakit.tables.report import Report, Section
from lsakit.tables.texts import Texts

HEADINGS = ("achieved", "shortcomings", "causes", "solutions", "recommendations")
MEASURE_COLUMNS = ("finding", "cause", "solution", "owner", "follow_up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A figure that the words quote: its mark, its sentence, where it comes from, and its code."""

    mark: str
    sentence: str
    source: str
    figure_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an office wrote: paragraphs by section, the figures they quote, what is to be done."""

    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    quoted: tuple[Quoted, ...] = ()
    measures: tuple[tuple[str, ...], ...] = ()
    is_draft: bool = False


def with_words(report: Report, words: Words) -> Report:
    """Put the words of an office into a report.

    A section that the office wrote holds its words in place of the sentences that only offered evidence; the
    first heading keeps its computed sentences before them. Sections without words stay left to the unit.
    """
    texts, written = Texts(report.language), dict(words.sections)
    sections = [_written(section, written.get(section.key, ())) for section in report.sections]
    if words.measures:
        table = _measures(words, texts)
        sections = [
            replace(section, tables=(*section.tables, table)) if section.key == HEADINGS[-1] else section
            for section in sections
        ]
    if words.quoted:
        place = next((at for at, section in enumerate(sections) if section.key == "method"), len(sections))
        sections.insert(place, _quoted(words, texts))
    subtitle = texts.say("words.draft", cycle=report.subtitle) if words.is_draft else report.subtitle
    return replace(report, sections=tuple(sections), subtitle=subtitle)


def _written(section: Section, paragraphs: tuple[str, ...]) -> Section:
    """Put paragraphs into a section."""
    if not paragraphs:
        return section
    computed = () if section.left_to_unit else section.paragraphs
    return replace(section, paragraphs=(*computed, *paragraphs), left_to_unit=False)


def _measures(words: Words, texts: Texts) -> PublicationTable:
    """Tabulate what is to be done."""
    return PublicationTable(
        caption=texts.say("words.measures_caption"),
        columns=tuple(texts.say(f"words.measure_{name}") for name in MEASURE_COLUMNS),
        rows=words.measures,
        figure_ids=("",) * len(words.measures),
        is_sourced=False,
    )


def _quoted(words: Words, texts: Texts) -> Section:
    """List the figures quoted, with their codes."""
    table = PublicationTable(
        caption=texts.say("words.quoted_caption"),
        columns=tuple(texts.say(f"words.quoted_{name}") for name in ("code", "sentence", "source")),
        rows=tuple((one.mark, one.sentence, one.figure_id or one.source) for one in words.quoted),
        figure_ids=tuple(one.figure_id for one in words.quoted),
        is_sourced=False,
    )
    return Section(key="quoted", heading=texts.say("words.quoted_heading"), tables=(table,))
