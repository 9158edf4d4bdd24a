"""Student and school files that belong together, on their way from a run to a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.frames import refuse_duplicates, require_columns

STUDENT, SCHOOL = "student", "school"


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroData:
    """The files of one population before or after disclosure control.

    Parameters
    ----------
    tables : Mapping of str to polars.DataFrame
        ``"student"`` and ``"school"``; further files, such as ``"responses"``, go along by their student key.
    codebooks : Mapping of str to Codebook
        One per table, with every column.
    school_key, student_key : str
        Columns of the identifiers.
    weight : str
        Column of the final student weight.
    carried : tuple of str
        Variables of the school that the released student file shows too; they are kept in the school table until
        then, so that both files always agree.

    Raises
    ------
    TableError
        If a column is absent, an identifier stands twice, or a student's school is not in the school table.
    """

    tables: Mapping[str, pl.DataFrame]
    codebooks: Mapping[str, Codebook]
    school_key: str = "CNTSCHID"
    student_key: str = "CNTSTUID"
    weight: str = "W_FSTUWT"
    carried: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse files that do not belong together."""
        for name in (STUDENT, SCHOOL):
            if name not in self.tables:
                raise TableError(f"The micro data lack the {name} table.", param="tables")
        students, schools = self.tables[STUDENT], self.tables[SCHOOL]
        require_columns(students, [self.school_key, self.student_key, self.weight], param="student table")
        require_columns(schools, [self.school_key, *self.carried], param="school table")
        refuse_duplicates(students, self.student_key, param="student table")
        refuse_duplicates(schools, self.school_key, param="school table")
        lost = students.join(schools, on=self.school_key, how="anti").get_column(self.school_key).unique()
        if len(lost):
            raise TableError(
                f"{len(lost)} school(s) of the student table are not in the school table.",
                where=lost.sort().to_list(),
                hint="Give a row for each school.",
                param="tables",
            )

    @property
    def students(self) -> pl.DataFrame:
        """The student table with the carried variables of its school."""
        shown = self.tables[SCHOOL].select(self.school_key, *self.carried)
        return self.tables[STUDENT].join(shown, on=self.school_key, how="left", maintain_order="left")

    def view(self, file: str) -> pl.DataFrame:
        """Give a table as an attacker would see it.

        Parameters
        ----------
        file : {"student", "school"}
            Which table.

        Returns
        -------
        polars.DataFrame
            The table, students with their school's carried variables.
        """
        return self.students if file == STUDENT else self.tables[file]

    def home_of(self, variable: str) -> str:
        """Tell in which table a variable is kept.

        Parameters
        ----------
        variable : str
            Column.

        Returns
        -------
        str
            Name of the table; the school's for carried variables.

        Raises
        ------
        TableError
            If no table has it.
        """
        if variable in self.carried:
            return SCHOOL
        found = [name for name, table in self.tables.items() if variable in table.columns]
        if not found:
            raise TableError(
                f"No file has the variable {variable!r}.",
                hint="Correct the name in the plan.",
                param="variable",
                got=variable,
            )
        return found[0]

    def variable(self, name: str) -> Variable:
        """Give the description of a variable.

        Parameters
        ----------
        name : str
            Variable.

        Returns
        -------
        Variable
            Its entry in the codebook of its home.
        """
        return self.codebooks[self.home_of(name)][name]

    def with_table(self, name: str, table: pl.DataFrame, *, changed: Sequence[Variable] = ()) -> MicroData:
        """Put another table in the place of one, and other descriptions in the place of some.

        Parameters
        ----------
        name : str
            Table.
        table : polars.DataFrame
            Its new rows and columns.
        changed : Sequence of Variable
            Descriptions that changed or are new.

        Returns
        -------
        MicroData
            The files with the change; descriptions of columns that are gone are gone too.
        """
        known = {variable.name: variable for variable in (*self.codebooks[name], *changed)}
        book = Codebook(
            variables=tuple(known[column] for column in table.columns if column in known),
            file_label=self.codebooks[name].file_label,
        )
        carried = self.carried
        if name == SCHOOL:
            carried = tuple(column for column in self.carried if column in table.columns)
        return replace(
            self,
            tables={**self.tables, name: table},
            codebooks={**self.codebooks, name: book},
            carried=carried,
        )
