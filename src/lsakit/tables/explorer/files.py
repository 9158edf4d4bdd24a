"""The analysis file of one population, prepared once for every question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.estimation.replication import PreparedTable, prepare
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.tables.explorer.variables import known_variables
from lsakit.tables.suppression import CellCounts, SuppressionRules

SCHOOL = "school_id"
WHOLE = "_whole"
STRATUM = "variance_stratum"
MOST_REMEMBERED = 12
SHARE_OF_VALUES = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisFile:
    """Students of one population with values, groups and weights, ready to be asked.

    Parameters
    ----------
    population : str
        Population.
    ready : PreparedTable
        The rows, weights as cells; columns of replicate weights are dropped.
    rules : SuppressionRules
        The rule of publication.
    cuts : tuple of float
        Lower bounds of the levels.
    percentiles : tuple of float
        Percentiles that are estimated.
    minimum_level : int
        Level from which minimum proficiency is reached; 0 where none is set.
    run : str
        Name of the frozen artefacts, for the names of answers.
    memory : dict
        Tables without hidden groups, for the next question on the same groups.
    """

    population: str
    ready: PreparedTable
    rules: SuppressionRules
    cuts: tuple[float, ...] = ()
    percentiles: tuple[float, ...] = (5.0, 25.0, 50.0, 75.0, 95.0)
    minimum_level: int = 0
    run: str = ""
    memory: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, table: pl.DataFrame, design: SurveyDesign, **more: Any) -> AnalysisFile:
        """Prepare a table of students.

        Parameters
        ----------
        table : polars.DataFrame
            One row per student: ``school_id``, weights and replicates as the design says, plausible values, groups.
        design : SurveyDesign
            Where the weights are.
        **more : object
            The other fields.

        Returns
        -------
        AnalysisFile
            The file; it holds each cell of replicate weights once, not the weights of each student.
        """
        ready = prepare(table, design)
        stored = [] if design.is_derived else list(design.replicate_columns())
        kept = table.drop(stored).with_columns(pl.lit("all").alias(WHOLE))
        return cls(ready=replace(ready, table=kept), **more)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the file."""
        return tuple(self.ready.table.columns)

    @property
    def n_bytes(self) -> int:
        """Memory that the file takes, in bytes."""
        arrays = (self.ready.scale, self.ready.cells, self.ready.ratios)
        return int(self.ready.table.estimated_size()) + sum(array.nbytes for array in arrays)

    @property
    def few_schools(self) -> tuple[str, ...]:
        """Variables of schools most of whose values fewer schools hold than the rule asks for."""
        if "few" not in self.memory:
            self.memory["few"] = tuple(
                name
                for name, variable in known_variables().items()
                if variable.of_school and name in self.columns and self._tells_schools(name)
            )
        found: tuple[str, ...] = self.memory["few"]
        return found

    def _tells_schools(self, name: str) -> bool:
        """Tell whether most values of a variable stand for too few schools."""
        held = self.ready.table.drop_nulls(name).group_by(name).agg(pl.col(SCHOOL).n_unique().alias("n"))
        least = max(self.rules.minimum_schools, 2)
        few = held.filter(pl.col("n") < least).height
        return held.height > 0 and few > SHARE_OF_VALUES * held.height

    @property
    def nesting(self) -> dict[str, tuple[str, dict[str, str]]]:
        """Break-downs inside others, as the rows say."""
        if "nesting" not in self.memory:
            found = {}
            for name, variable in known_variables().items():
                if name in self.columns and variable.inside in self.columns:
                    pairs = self.ready.table.select(name, variable.inside).drop_nulls().unique()
                    outer = {str(inner): str(unit) for inner, unit in pairs.rows()}
                    if len(outer) == pairs.height:
                        found[name] = (variable.inside, outer)
            self.memory["nesting"] = found
        held: dict[str, tuple[str, dict[str, str]]] = self.memory["nesting"]
        return held

    def is_valid(self, columns: Sequence[str]) -> NDArray[np.bool_]:
        """Tell for each student whether all of some columns have a value, of shape (n_students,)."""
        table = self.ready.table
        valid: NDArray[np.bool_] = np.ones(table.height, dtype=np.bool_)
        for name in columns:
            column = table.get_column(name)
            known = column.is_not_null()
            if column.dtype.is_float():
                known = known & column.is_not_nan()
            valid &= known.to_numpy()
        return valid

    def count(self, by: Sequence[str], valid: NDArray[np.bool_]) -> list[CellCounts]:
        """Count students and schools of every cell of a table and of all its margins.

        Parameters
        ----------
        by : Sequence of str
            Break-downs.
        valid : ndarray of shape (n_students,)
            Whose measure has a value.

        Returns
        -------
        list of CellCounts
            Cells of the table, of each table with fewer of the break-downs, and of those with an outer
            break-down in the place of an inner one.
        """
        rows = self.ready.table.filter(pl.Series(valid))
        strata = pl.col(STRATUM).n_unique() if STRATUM in rows.columns else pl.lit(None)
        counts = (pl.len().alias("n"), pl.col(SCHOOL).n_unique().alias("s"), strata.alias("z"))
        cells = []
        for keys in _margins(tuple(by), self.nesting):
            grouped = rows.drop_nulls(list(keys)).group_by(list(keys) or WHOLE).agg(*counts)
            for *values, n, schools, zones in grouped.rows():
                names = zip(keys, (str(value) for value in values), strict=True) if keys else ()
                cells.append(CellCounts(place=frozenset(names), n=n, n_schools=schools, n_strata=zones))
        return cells

    def shown_rows(
        self, by: Sequence[str], shown: Sequence[tuple[str, ...]], valid: NDArray[np.bool_], key: str
    ) -> PreparedTable:
        """Give the rows with the groups that are shown alone; students of hidden ones have no group.

        Parameters
        ----------
        by : Sequence of str
            Break-downs.
        shown : Sequence of tuple of str
            Groups that may be shown.
        valid : ndarray of shape (n_students,)
            Whose measure has a value.
        key : str
            What tells these rows from others, for the memory.

        Returns
        -------
        PreparedTable
            All replicates stay as they are; nothing of a hidden group is ever computed.
        """
        names, memory_key = list(by), ("rows", tuple(by), key, hash(tuple(sorted(shown))))
        if memory_key in self.memory:
            held: PreparedTable = self.memory[memory_key]
            return held
        table = self.ready.table
        allowed = pl.DataFrame(list(shown), schema=dict.fromkeys(names, pl.String), orient="row")
        text = table.select(pl.col(name).cast(pl.String) for name in names)
        flags = allowed.with_columns(_shown=pl.lit(True))
        inside = text.join(flags, on=names, how="left", maintain_order="left").get_column("_shown")
        keep = inside.fill_null(False) & pl.Series(valid)
        made = table.with_columns(
            pl.when(keep).then(text.get_column(name)).otherwise(None).alias(name) for name in names
        )
        old = [known for known in self.memory if known[0] == "rows"]
        for known in old[: max(len(old) - MOST_REMEMBERED + 1, 0)]:
            self.memory.pop(known, None)
        self.memory[memory_key] = replace(self.ready, table=made, memory={})
        result: PreparedTable = self.memory[memory_key]
        return result


def _margins(by: tuple[str, ...], nesting: Mapping[str, tuple[str, Any]]) -> list[tuple[str, ...]]:
    """List the break-downs of a table and of its margins, few first."""
    widened = [by]
    for name in by:
        if name in nesting and nesting[name][0] not in by:
            widened.append(tuple(nesting[name][0] if other == name else other for other in by))
    found = {
        frozenset(keys): keys
        for names in widened
        for count in range(len(names) + 1)
        for keys in combinations(names, count)
    }
    return sorted(found.values(), key=lambda keys: (len(keys), keys))
