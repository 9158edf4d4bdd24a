"""A report as a specification file: which sections, exhibits and sentences it has, and by which rules.

The form of the file is described in ``docs/modules/reports.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from lsakit.errors import LsakitError
from lsakit.tables.exhibits.catalogue import FORMS, KINDS, SENTENCES
from lsakit.tables.texts import LANGUAGES, Texts

STANDARD = ("national", "province", "press_note")
SCOPES = ("nation", "province")
ON_MISSING = ("refuse", "leave_out")
CORRECTIONS = ("none", "fdr")
Words = str | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitPlan:
    """One exhibit of a section.

    Parameters
    ----------
    kind : str
        Kind, one of ``lsakit.tables.exhibits.catalogue.KINDS``.
    by : tuple of str
        Groupings.
    statistics : tuple of str
        Statistics; those of the kind where none are named.
    populations, subjects : tuple of str
        Populations and subjects shown; all where none are named.
    form : str
        ``"figure"``, ``"table"``, or ``"workbook"`` for a table that is not printed.
    if_missing : str
        ``"refuse"`` or ``"leave_out"`` where the table of estimates holds nothing for it.
    correction : str
        Of many comparisons: ``"none"`` (each at 5 %) or ``"fdr"``.
    """

    kind: str
    by: tuple[str, ...]
    statistics: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    form: str = "figure"
    if_missing: str = "leave_out"
    correction: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
    """One section of a report.

    Parameters
    ----------
    key : str
        Stable name.
    heading : str or Mapping of str to str
        Key of a text, or the words by language.
    sentences : tuple of str
        Rules of sentences, in order.
    exhibits : tuple of ExhibitPlan
        Exhibits, in order.
    left_to_unit : bool
        Whether the words of the section are the unit's own.
    """

    key: str
    heading: Words
    sentences: tuple[str, ...] = ()
    exhibits: tuple[ExhibitPlan, ...] = ()
    left_to_unit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpecification:
    """A report before it is filled with numbers.

    Parameters
    ----------
    name : str
        Name.
    scope : str
        ``"nation"`` or ``"province"``.
    title : str or Mapping of str to str
        Key of a text, or the words by language.
    sections : tuple of SectionPlan
        Sections in order.
    minimum_students, minimum_schools : int
        Rule that the report asks for beside that of the estimates; 0 for none.
    """

    name: str
    scope: str
    title: Words
    sections: tuple[SectionPlan, ...]
    minimum_students: int = 0
    minimum_schools: int = 0

    @property
    def own_sections(self) -> tuple[str, ...]:
        """Keys of the sections whose words are the unit's own."""
        return tuple(section.key for section in self.sections if section.left_to_unit)


def in_language(words: Words, texts: Texts, **values: object) -> str:
    """Give a heading or title in a language.

    Parameters
    ----------
    words : str or Mapping of str to str
        Key of a text, or the words by language.
    texts : Texts
        Language.
    **values : object
        Values to fill in.

    Returns
    -------
    str
        The words.
    """
    return texts.say(words, **values) if isinstance(words, str) else words[texts.language]


def read_specification(source: str | Path) -> ReportSpecification:
    """Read the specification of a report.

    Parameters
    ----------
    source : str or Path
        Name of a standard one (``"national"``, ``"province"``, ``"press_note"``) or the path of a TOML file.

    Returns
    -------
    ReportSpecification
        The specification.

    Raises
    ------
    LsakitError
        If the file is absent, is no TOML, or holds an unknown key, kind, statistic, grouping, form or sentence; the
        refusal names the file, the place, the value and what is allowed.

    Examples
    --------
    >>> [section.key for section in read_specification("province").sections][:2]
    ['achieved', 'shortcomings']
    """
    if isinstance(source, str) and source in STANDARD:
        place = files("lsakit.tables").joinpath("reports", f"{source}.toml")
        return _Reader(f"{source}.toml").specification(place.read_text(encoding="utf-8"))
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LsakitError(
            f"The specification {path.name!r} cannot be read: {type(error).__name__}.",
            hint=f"Give a TOML file in UTF-8, or one of {', '.join(STANDARD)}.",
            param="specification",
            got=str(source),
        ) from error
    return _Reader(path.name).specification(text)


class _Reader:
    """Reads one file and refuses what it does not know, with the place where it stands."""

    def __init__(self, file: str) -> None:
        self.file = file

    def refuse(self, where: str, what: str, got: object, allowed: Sequence[str]) -> LsakitError:
        """Make a refusal."""
        return LsakitError(
            f"{self.file}, {where}: {what} {got!r} is not known.",
            hint=f"Allowed: {', '.join(allowed)}.",
            param=what,
            got=got,
        )

    def known(self, where: str, node: Mapping[str, Any], keys: Sequence[str]) -> None:
        """Refuse a key that nobody reads."""
        for key in node:
            if key not in keys:
                raise self.refuse(where, "the key", key, keys)

    def choice(self, where: str, what: str, value: object, allowed: Sequence[str]) -> str:
        """Take one word of several."""
        if value not in allowed:
            raise self.refuse(where, what, value, allowed)
        return str(value)

    def choices(self, where: str, what: str, values: object, allowed: Sequence[str]) -> tuple[str, ...]:
        """Take a list of words."""
        found = [values] if isinstance(values, str) else values
        if not isinstance(found, list):
            raise self.refuse(where, what, values, allowed)
        return tuple(self.choice(where, what, value, allowed) for value in found)

    def words(self, where: str, what: str, value: object) -> Words:
        """Take a key of a text, or words in both languages."""
        if isinstance(value, str) and all(Texts(language).has(value) for language in LANGUAGES):
            return value
        if isinstance(value, dict) and sorted(value) == sorted(LANGUAGES):
            return {language: str(value[language]) for language in LANGUAGES}
        allowed = ("the key of a text", '{ vi = "…", en = "…" }')
        raise self.refuse(where, what, value, allowed)

    def number(self, where: str, what: str, value: object) -> int:
        """Take a whole number from 0."""
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.refuse(where, what, value, ("whole numbers from 0",))
        return value

    def specification(self, text: str) -> ReportSpecification:
        """Read the whole file."""
        try:
            node = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise LsakitError(
                f"{self.file} is not TOML: {error}.",
                hint="Correct the line that is named.",
                param="specification",
            ) from error
        self.known("top", node, ("name", "scope", "title", "rules", "section"))
        scope = self.choice("top", "scope", node.get("scope"), SCOPES)
        rules = dict(node.get("rules", {}))
        self.known("[rules]", rules, ("minimum_students", "minimum_schools"))
        sections = node.get("section")
        if not isinstance(sections, list) or not sections:
            raise self.refuse("top", "section", sections, ("one or more [[section]]",))
        found = tuple(self.section(number, part, scope) for number, part in enumerate(sections, start=1))
        keys = [section.key for section in found]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise LsakitError(
                f"{self.file}: the section {twice[0]!r} stands twice.",
                hint="Give every section a key of its own.",
                param="section",
                got=twice[0],
            )
        return ReportSpecification(
            name=str(node.get("name", Path(self.file).stem)),
            scope=scope,
            title=self.words("top", "title", node.get("title")),
            sections=found,
            **{name: self.number("[rules]", name, value) for name, value in rules.items()},
        )

    def section(self, number: int, node: Mapping[str, Any], scope: str) -> SectionPlan:
        """Read one section."""
        where = f"section {number}"
        self.known(where, node, ("key", "heading", "sentences", "exhibit", "left_to_unit"))
        key = node.get("key")
        if not isinstance(key, str) or not key:
            raise self.refuse(where, "key", key, ("a short name",))
        where = f"section {key!r}"
        allowed = [name for name, rule in SENTENCES.items() if rule.scope in ("any", scope)]
        exhibits = node.get("exhibit", [])
        return SectionPlan(
            key=key,
            heading=self.words(where, "heading", node.get("heading", f"section.{key}")),
            sentences=self.choices(where, "sentence", node.get("sentences", []), allowed),
            exhibits=tuple(
                self.exhibit(f"{where}, exhibit {place}", part, scope)
                for place, part in enumerate(exhibits, start=1)
            ),
            left_to_unit=bool(node.get("left_to_unit", False)),
        )

    def exhibit(self, where: str, node: Mapping[str, Any], scope: str) -> ExhibitPlan:
        """Read one exhibit."""
        self.known(
            where,
            node,
            ("kind", "by", "statistics", "populations", "subjects", "form", "if_missing", "correction"),
        )
        name = self.choice(
            where,
            "kind",
            node.get("kind"),
            [name for name, kind in KINDS.items() if kind.scope in ("any", scope)],
        )
        kind = KINDS[name]
        forms = [form for form in FORMS if form in kind.forms]
        named = {what: self._names(where, what, node.get(what, [])) for what in ("populations", "subjects")}
        return ExhibitPlan(
            kind=name,
            by=self.choices(where, "by", node.get("by", list(kind.by)), kind.groupings),
            statistics=self.choices(where, "statistic", node.get("statistics", []), kind.statistics),
            form=self.choice(where, "form", node.get("form", forms[0]), forms),
            if_missing=self.choice(where, "if_missing", node.get("if_missing", "leave_out"), ON_MISSING),
            correction=self.choice(where, "correction", node.get("correction", "none"), CORRECTIONS),
            **named,
        )

    def _names(self, where: str, what: str, value: object) -> tuple[str, ...]:
        """Take names of populations or subjects, which the estimates decide."""
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
            raise self.refuse(where, what, value, ("a list of names",))
        return tuple(found)
