"""Whole classes as the second stage: pseudo-classes, the class draw, and a smaller draw inside large classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lsakit.design.drawn import DrawnSchools
from lsakit.design.random_starts import START_DENOMINATOR, seed_of, start_numerators
from lsakit.design.school_lists import SchoolLists, line_sentence, read_lists, row_of
from lsakit.design.within_school import SORT_COLUMNS, spiral_booklets, systematic_lines
from lsakit.design.words import Language, digits, say
from lsakit.errors import DesignError, TableError
from lsakit.io.frames import Table, make_table, strings

JOINER = " + "
UNIT = "\x1f"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOptions:
    """State how classes are drawn.

    Parameters
    ----------
    n_classes : int, default 1
        Classes to draw in each school; all where it has fewer.
    smallest_share : float, default 0.5
        A class with fewer students than this share of the school's mean class size is joined with another
        into a pseudo-class; 0 for none.
    class_limit : int, optional
        Most students taken from a class; from a larger one a systematic sample of as many is drawn. By
        default all students of a drawn class are taken.
    n_booklets : int, default 13
        Booklets in the design.
    sort_by : Sequence of str, optional
        Columns that sort a class; by default those of grade, gender and birth_date that the list has.
    """

    n_classes: int = 1
    smallest_share: float = 0.5
    class_limit: int | None = None
    n_booklets: int = 13
    sort_by: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Refuse numbers outside their range."""
        limit = 1 if self.class_limit is None else self.class_limit
        bad = [
            name
            for name, holds in (
                ("n_classes", self.n_classes >= 1),
                ("smallest_share", 0 <= self.smallest_share <= 1),
                ("class_limit", limit >= 1),
                ("n_booklets", self.n_booklets >= 1),
            )
            if not holds
        ]
        if bad:
            raise DesignError(
                f"The '{bad[0]}' of a class draw must be {'from 0 to 1' if 'share' in bad[0] else '1 or more'}. "
                f"Got {getattr(self, bad[0])!r}.",
                param=bad[0],
                got=getattr(self, bad[0]),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedClasses:
    """Hold the classes drawn in each listed school, and their students.

    Parameters
    ----------
    table : polars.DataFrame
        One row per student: school_id, student_id, class_id, pseudo_class, probability (within the school:
        class stage times student stage), booklet, line_number (from 1, in the sorted class).
    classes : polars.DataFrame
        One row per class or pseudo-class: school_id, pseudo_class (identifiers of its classes joined by
        ``" + "``), n_classes (in it), n_students, is_drawn, probability (of the class stage), n_selected,
        random_number (of the draw inside it), first_booklet.
    schools : polars.DataFrame
        One row per listed school: school_id, n_classes, n_pseudo_classes, n_drawn, random_number.
    not_listed : tuple of str
        Sampled schools for which no list came.
    seed : int
        Seed of the draw.
    schema : str
        Name and version of this result's form.
    """

    table: Table
    classes: Table
    schools: Table
    not_listed: tuple[str, ...]
    seed: int
    schema: str = "lsakit.selected_classes/1"

    def explain(self, student_id: str, *, language: Language = "en") -> str:
        """Tell in words how a student's probability came about.

        Parameters
        ----------
        student_id : str
            A student of a drawn class.
        language : {"en", "vi"}, default "en"
            Language of the sentences.

        Returns
        -------
        str
            A few sentences with the numbers that were used.

        Raises
        ------
        DesignError
            If the student was not selected.
        """
        row = row_of(self.table, "student_id", student_id, what="student")
        school = row_of(self.schools, "school_id", row["school_id"], what="school")
        mine = self.classes.filter(self.classes.get_column("school_id") == row["school_id"])
        chosen = row_of(mine, "pseudo_class", row["pseudo_class"], what="class")
        inside = line_sentence(
            chosen["n_students"],
            chosen["n_selected"],
            row["line_number"],
            chosen["random_number"],
            language=language,
        )
        sentences = (
            say(
                language,
                "class.joined" if chosen["n_classes"] > 1 else "class.whole",
                student=student_id,
                name=chosen["pseudo_class"],
                n_classes=chosen["n_classes"],
                n_students=chosen["n_students"],
                school=row["school_id"],
            ),
            say(
                language,
                "class.drawn",
                n_drawn=school["n_drawn"],
                n_pseudo=school["n_pseudo_classes"],
                probability=chosen["probability"],
                start=digits(school["random_number"], 10, language),
            ),
            say(language, "class.inside", sentence=inside),
            say(language, "class.together", probability=row["probability"], booklet=row["booklet"]),
        )
        return " ".join(sentences)


def pseudo_classes(sizes: Mapping[str, int], *, smallest_share: float = 0.5) -> list[tuple[str, ...]]:
    """Join classes that are too small with the next smallest, until none is.

    Parameters
    ----------
    sizes : Mapping of str to int
        Students of each class of a school.
    smallest_share : float, default 0.5
        A class below this share of the mean class size is too small.

    Returns
    -------
    list of tuple of str
        Classes and pseudo-classes, by the first class in them; each names its classes, ascending.

    Raises
    ------
    DesignError
        If a class has no student.

    Notes
    -----
    The mean is that of the classes as listed. While a class or pseudo-class is too small and not alone, the
    smallest is joined with the next smallest; ties go to the identifier that stands first.

    Examples
    --------
    >>> pseudo_classes({"5A": 30, "5B": 32, "5C": 8, "5D": 12})
    [('5A',), ('5B',), ('5C', '5D')]
    """
    empty = [name for name, size in sizes.items() if size < 1]
    if empty or not sizes:
        raise DesignError("Every class must have at least one student.", where=empty, param="sizes")
    limit = smallest_share * sum(sizes.values()) / len(sizes)
    groups: list[tuple[int, tuple[str, ...]]] = sorted((size, (name,)) for name, size in sizes.items())
    while len(groups) > 1 and groups[0][0] < limit:
        (first, names), (second, others), *rest = groups
        groups = sorted([*rest, (first + second, tuple(sorted((*names, *others))))])
    return sorted(names for _, names in groups)


def select_classes(
    lists: Any,
    drawn: DrawnSchools | Any,
    *,
    rng: np.random.Generator | int,
    options: ClassOptions | None = None,
) -> SelectedClasses:
    """Draw whole classes with equal probability in every listed school.

    Parameters
    ----------
    lists : polars.DataFrame or pandas.DataFrame or Mapping
        One row per student of the target grade: school_id, class_id, student_id and the sort columns.
    drawn : DrawnSchools or table
        The school sample, or its table.
    rng : numpy.random.Generator or int
        Source of the random starts, or the seed itself.
    options : ClassOptions, optional
        Classes per school, pseudo-classes, limit, booklets.

    Returns
    -------
    SelectedClasses
        Students with their probability, and every class with its own.

    Raises
    ------
    TableError
        If a column is absent, a student stands twice or has no class.
    DesignError
        If a listed school is neither sampled nor a replacement.

    References
    ----------
    .. [1] ``docs/algorithms/class_sampling.md``.
    """
    options = options or ClassOptions()
    usual = ("class_id", *SORT_COLUMNS)
    sort_by = None if options.sort_by is None else ["class_id", *options.sort_by]
    listed = read_lists(lists, drawn, person="student_id", usual=usual, sort_by=sort_by)
    class_ids = np.asarray(_class_column(listed), dtype=object)[listed.order]
    students = listed.ids()[listed.order]
    seed = seed_of(rng)
    starts = start_numerators(seed, "select_classes", listed.schools)
    out = _Rows()
    for number, (school, start) in enumerate(zip(listed.schools, starts, strict=True)):
        inside = slice(int(listed.offsets[number]), int(listed.offsets[number + 1]))
        out.add_school(school, class_ids[inside], students[inside], start, seed, options)
    return SelectedClasses(
        table=make_table(out.students),
        classes=make_table(out.classes),
        schools=make_table(out.schools),
        not_listed=listed.not_listed,
        seed=seed,
    )


def _class_column(listed: SchoolLists) -> list[str]:
    """Take the class of every student, refusing students without one."""
    found = strings(listed.table, "class_id", param="lists", nulls=True)
    without = [one for one, name in zip(listed.ids().tolist(), found, strict=True) if not name]
    if without:
        raise TableError(
            f"{len(without)} students of the lists have no class_id.",
            where=without,
            why="A student outside every class could not be drawn.",
            hint="Ask the school for the class, or list such students as a class of their own.",
            param="class_id",
        )
    return found


class _Rows:
    """Gathers the rows of the three tables, school by school."""

    def __init__(self) -> None:
        """Begin with empty columns."""
        self.students: dict[str, list[Any]] = {name: [] for name in STUDENT_COLUMNS}
        self.classes: dict[str, list[Any]] = {name: [] for name in CLASS_COLUMNS}
        self.schools: dict[str, list[Any]] = {name: [] for name in SCHOOL_COLUMNS}

    def add_school(
        self, school: str, classes: Any, students: Any, start: int, seed: int, options: ClassOptions
    ) -> None:
        """Draw the classes of one school and add its rows."""
        names, counts = np.unique(classes.astype(str), return_counts=True)
        sizes = dict(zip(names.tolist(), counts.tolist(), strict=True))
        groups = pseudo_classes(sizes, smallest_share=options.smallest_share)
        taken = {line - 1 for line in systematic_lines(len(groups), options.n_classes, start)}
        probability = len(taken) / len(groups)
        labels = [JOINER.join(group) for group in groups]
        units = [f"{school}{UNIT}{label}" for label in labels]
        inner = start_numerators(seed, "select_within_class", units)
        firsts = start_numerators(seed, "first_booklet_of_class", units)
        _append(self.schools, (school, len(sizes), len(groups), len(taken), start / START_DENOMINATOR))
        for place, group in enumerate(groups):
            rows = np.flatnonzero(np.isin(classes.astype(str), group))
            n = len(rows)
            most = n if options.class_limit is None else options.class_limit
            lines = systematic_lines(n, most, inner[place]) if place in taken else []
            first = firsts[place] % options.n_booklets + 1
            row = (school, labels[place], len(group), n, place in taken, probability, len(lines))
            _append(self.classes, (*row, inner[place] / START_DENOMINATOR, first))
            booklets = spiral_booklets(len(lines), first, options.n_booklets).tolist()
            for line, booklet in zip(lines, booklets, strict=True):
                at = rows[line - 1]
                share = probability * len(lines) / n
                _append(
                    self.students,
                    (school, students[at], str(classes[at]), labels[place], share, booklet, line),
                )


STUDENT_COLUMNS = (
    "school_id",
    "student_id",
    "class_id",
    "pseudo_class",
    "probability",
    "booklet",
    "line_number",
)
CLASS_COLUMNS = (
    "school_id",
    "pseudo_class",
    "n_classes",
    "n_students",
    "is_drawn",
    "probability",
    "n_selected",
    "random_number",
    "first_booklet",
)
SCHOOL_COLUMNS = ("school_id", "n_classes", "n_pseudo_classes", "n_drawn", "random_number")


def _append(columns: dict[str, list[Any]], values: Sequence[Any]) -> None:
    """Add one row."""
    for name, value in zip(columns, values, strict=True):
        columns[name].append(value)
