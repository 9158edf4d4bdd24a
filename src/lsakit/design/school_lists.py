"""Lists of people by school, sorted once: what every selection within schools starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.design.drawn import DrawnSchools
from lsakit.design.words import Language, digits, say
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, as_table, group_codes, refuse_duplicates, strings


@dataclass(frozen=True, slots=True, kw_only=True)
class SchoolLists:
    """Hold the lists of all schools, one behind the other.

    Parameters
    ----------
    table : polars.DataFrame
        The lists as given.
    person : str
        Column that identifies a person.
    schools : list of str of shape (n_schools,)
        Listed schools, ascending.
    counts : ndarray of shape (n_schools,)
        People in each list.
    order : ndarray of shape (n_people,)
        Rows of ``table``, school after school, each in its sorted order.
    not_listed : tuple of str
        Sampled schools for which no list came.
    """

    table: Table
    person: str
    schools: list[str]
    counts: NDArray[np.int64]
    order: NDArray[np.int64]
    not_listed: tuple[str, ...]

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Place in ``order`` at which each school's list begins, and the end of the last."""
        return np.concatenate([[0], np.cumsum(self.counts)])

    def ids(self) -> NDArray[np.object_]:
        """Identifiers of the people, in the order of ``table``."""
        return np.asarray(strings(self.table, self.person, param="lists"), dtype=object)


def read_lists(
    lists: Any, drawn: DrawnSchools | Any, *, person: str, usual: Sequence[str], sort_by: Sequence[str] | None
) -> SchoolLists:
    """Check lists against the school sample and sort them.

    Parameters
    ----------
    lists : polars.DataFrame or pandas.DataFrame or Mapping
        One row per person: school_id, the person's identifier, sort columns.
    drawn : DrawnSchools or table
        The school sample.
    person : str
        Column that identifies a person; each stands once.
    usual : Sequence of str
        Sort columns taken when ``sort_by`` is not given, those of them that the lists have.
    sort_by : Sequence of str, optional
        Sort columns; a missing value sorts first, ties go by ``person``.

    Returns
    -------
    SchoolLists
        The sorted lists.

    Raises
    ------
    TableError
        If a column is absent, the lists are empty, or a person stands twice.
    DesignError
        If a listed school is neither sampled nor a replacement.
    """
    table = as_table(lists, param="lists")
    refuse_duplicates(table, person, param="lists")
    if not table.height:
        raise TableError("The lists have no rows.", hint="Pass one row per listed person.", param="lists")
    sampled = drawn.table if isinstance(drawn, DrawnSchools) else as_table(drawn, param="drawn")
    names = [name for name in usual if name in table.columns] if sort_by is None else list(sort_by)
    school_ids = strings(table, "school_id", param="lists")
    person_ids = strings(table, person, param="lists")
    schools = sorted(set(school_ids))
    number = {school: place for place, school in enumerate(schools)}
    codes = np.fromiter((number[school] for school in school_ids), dtype=np.int64, count=len(school_ids))
    by_person = np.asarray(sorted(range(len(person_ids)), key=person_ids.__getitem__), dtype=np.int64)
    keys = [group_codes(table, [name], param="lists")[0][by_person] for name in names]
    order = by_person[np.lexsort((*reversed(keys), codes[by_person]))]
    not_listed = refuse_strangers(schools, sampled)
    counts = np.bincount(codes, minlength=len(schools)).astype(np.int64)
    return SchoolLists(
        table=table, person=person, schools=schools, counts=counts, order=order, not_listed=not_listed
    )


def refuse_strangers(schools: Sequence[str], sampled: Table) -> tuple[str, ...]:
    """Refuse lists of schools outside the sample; name sampled schools without a list.

    Parameters
    ----------
    schools : Sequence of str
        Listed schools.
    sampled : polars.DataFrame
        The sample's table.

    Returns
    -------
    tuple of str
        Sampled schools that are not listed.

    Raises
    ------
    DesignError
        If a listed school is neither sampled nor a replacement.
    """
    originals = strings(sampled, "school_id", param="drawn")
    known = set(originals)
    for name in ("replacement_1", "replacement_2"):
        known.update(strings(sampled, name, param="drawn", nulls=True))
    strangers = [school for school in schools if school not in known]
    if strangers:
        raise DesignError(
            f"{len(strangers)} schools of the lists are neither sampled nor replacements.",
            where=strangers,
            why="Students of a school that was not drawn have no probability.",
            hint="Take those schools out of the lists, or correct their identifiers.",
            param="lists",
            got=strangers[0],
        )
    listed = set(schools)
    return tuple(school for school in originals if school not in listed)


def row_of(table: Table, column: str, value: str, *, what: str) -> dict[str, Any]:
    """Find one row of a result by its identifier.

    Parameters
    ----------
    table : polars.DataFrame
        The result's table.
    column : str
        Identifier column.
    value : str
        Identifier.
    what : str
        What is looked for, in a refusal's words.

    Returns
    -------
    dict of str to object
        The row.

    Raises
    ------
    DesignError
        If there is none.
    """
    found = table.filter(table.get_column(column) == value)
    if not found.height:
        raise DesignError(
            f"The {what} {value!r} is not among those selected.",
            hint="Check the identifier; leading zeros count.",
            param=column,
            got=value,
        )
    return dict(found.row(0, named=True))


def line_sentence(
    n_listed: int, n_taken: int, line: int, random_number: float, *, language: Language = "en"
) -> str:
    """Tell how a systematic draw with equal probabilities came to a line.

    Parameters
    ----------
    n_listed : int
        People in the list.
    n_taken : int
        People taken.
    line : int
        Line number, from 1.
    random_number : float
        Random start, in (0, 1].
    language : {"en", "vi"}, default "en"
        Language of the sentence.

    Returns
    -------
    str
        One sentence.
    """
    if n_taken == n_listed:
        return say(language, "line.all", n_listed=n_listed)
    return say(
        language,
        "line.some",
        step=n_listed / n_taken,
        n_taken=n_taken,
        n_listed=n_listed,
        start=digits(random_number, 10, language),
        line=line,
        probability=n_taken / n_listed,
    )
