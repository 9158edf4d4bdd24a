"""A plan carried out: step after step, each with the risk and the loss that it left.

See docs/algorithms/disclosure_control.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from lsakit.errors import TableError
from lsakit.release import cells, recodes, swapping
from lsakit.release.loss import changed_cells, losses
from lsakit.release.microdata import STUDENT, MicroData
from lsakit.release.plan import DisclosurePlan, PlanStep
from lsakit.release.recodes import suppressed_code
from lsakit.release.risk import RiskSummary, cell_counts, summarize_risk

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What one step did.

    Parameters
    ----------
    number : int
        Place in the plan, from 1.
    kind, file : str
        What it is and on which table.
    variables : tuple of str
        Variables that it names.
    because : Mapping of str to str
        Why, by language.
    n_changed : int
        Values that differ after it, of students and schools as the files are kept.
    n_suppressed : int
        Values that became "suppressed".
    n_recodes : int
        Entries of the log of information loss: merges of cells, variables recoded, banded, dropped.
    risk : Mapping of str to RiskSummary
        Risk after it, by file of the requirements; absent while a key does not exist yet.
    """

    number: int
    kind: str
    file: str
    variables: tuple[str, ...]
    because: Mapping[str, str]
    n_changed: int
    n_suppressed: int
    n_recodes: int
    risk: Mapping[str, RiskSummary]


@dataclass(frozen=True, slots=True, kw_only=True)
class Protected:
    """Files that satisfy a plan, and the record of how.

    Parameters
    ----------
    data : MicroData
        The protected files; identifiers are still those of the run.
    plan : DisclosurePlan
        The plan.
    before : Mapping of str to RiskSummary
        Risk of the untouched files, by file.
    steps : tuple of StepRecord
        What each step did.
    swaps : polars.DataFrame
        Log of the swaps; never released.
    loss : polars.DataFrame
        Information loss by variable.
    """

    data: MicroData
    plan: DisclosurePlan
    before: Mapping[str, RiskSummary]
    steps: tuple[StepRecord, ...]
    swaps: pl.DataFrame
    loss: pl.DataFrame

    @property
    def after(self) -> Mapping[str, RiskSummary]:
        """Risk of the protected files, by file."""
        return self.steps[-1].risk if self.steps else self.before


def protect(
    data: MicroData, plan: DisclosurePlan, *, seed: int, progress: Progress | None = None
) -> Protected:
    """Carry out a disclosure plan.

    Parameters
    ----------
    data : MicroData
        The files of a run.
    plan : DisclosurePlan
        What to do and what must hold.
    seed : int
        Seed of swaps and of the choice of suppressed rows; a stream per student.
    progress : Callable, optional
        Called with a word and a share between 0 and 1.

    Returns
    -------
    Protected
        Files, steps and logs.

    Raises
    ------
    TableError
        If a variable is absent, or a requirement does not hold after the last step; nothing is given then.

    Notes
    -----
    Rows never leave a file and weights never change, so totals and every figure by protected variables stay.
    """
    before = _risks(data, plan)
    now, records = data, []
    logs = [pl.DataFrame(schema=swapping.LOG_SCHEMA)]
    for number, step in enumerate(plan.steps, start=1):
        if progress is not None:
            progress(f"protect {step.kind}", (number - 1) / len(plan.steps))
        after, n_recodes, log = _apply(now, step, seed)
        logs.append(log)
        records.append(_record(number, step, now, after, n_recodes, plan))
        now = after
    _require(now, plan)
    return Protected(
        data=now,
        plan=plan,
        before=before,
        steps=tuple(records),
        swaps=pl.concat(logs),
        loss=losses(data, now),
    )


def _apply(data: MicroData, step: PlanStep, seed: int) -> tuple[MicroData, int, pl.DataFrame]:
    """Do one step; give the files, the number of entries in the log of losses, and swaps."""
    none = pl.DataFrame(schema=swapping.LOG_SCHEMA)
    if step.kind not in ("free_text", "drop"):
        for name in step.variables:
            data.home_of(name)
    if step.kind in _EVERY_ROW:
        after = _EVERY_ROW[step.kind](data, step)
        return after, len(step.variables), none
    if step.kind == "merge":
        after, n_merges = cells.merge(data, step)
        return after, n_merges, none
    if step.kind == "coarsen":
        return cells.coarsen(data, step, seed), 0, none
    if step.kind == "suppress":
        return cells.suppress(data, step, seed), 0, none
    after, log = swapping.swap(data, step, seed)
    return after, 0, log


_EVERY_ROW: Mapping[str, Callable[[MicroData, PlanStep], MicroData]] = {
    "drop": recodes.drop,
    "free_text": recodes.free_text,
    "recode": recodes.recode,
    "band": recodes.band,
    "top_bottom": recodes.top_bottom,
    "round": recodes.round_values,
}


def _record(
    number: int, step: PlanStep, before: MicroData, after: MicroData, n_recodes: int, plan: DisclosurePlan
) -> StepRecord:
    """Measure what a step did."""
    return StepRecord(
        number=number,
        kind=step.kind,
        file=step.file,
        variables=step.variables,
        because=step.because,
        n_changed=changed_cells(before, after),
        n_suppressed=count_suppressed(after) - count_suppressed(before),
        n_recodes=n_recodes,
        risk=_risks(after, plan),
    )


def count_suppressed(data: MicroData) -> int:
    """Count the values that say "suppressed for disclosure control".

    Parameters
    ----------
    data : MicroData
        The files.

    Returns
    -------
    int
        Their number in all tables; a school's value counts once.
    """
    total = 0
    for name in (STUDENT, "school"):
        table = data.tables[name]
        for variable in data.codebooks[name]:
            if "D" in variable.missing.values():
                total += int((table.get_column(variable.name) == suppressed_code(variable)).sum())
    return total


def _risks(data: MicroData, plan: DisclosurePlan) -> dict[str, RiskSummary]:
    """Measure the risk under each requirement whose keys exist."""
    found = {}
    for need in plan.requirements:
        view = data.view(need.file)
        if set(need.keys) <= set(view.columns):
            weight = data.weight if need.file == STUDENT else None
            found[need.file] = summarize_risk(view, need.keys, k=need.k, weight=weight)
    return found


def _require(data: MicroData, plan: DisclosurePlan) -> None:
    """Refuse files that do not satisfy the plan."""
    for need in plan.requirements:
        counts = cell_counts(data.view(need.file), need.keys)
        small = counts.filter(pl.col("n") < need.k)
        if small.height:
            named = [" / ".join(str(value) for value in row) for row in small.select(need.keys).rows()]
            raise TableError(
                f"{small.height} combination(s) of {', '.join(need.keys)} are shared by fewer than {need.k} "
                f"{need.file}s.",
                where=named,
                why="Somebody who knows these about one of them would find the record.",
                hint="Add a step that merges or suppresses another variable, or leave one out of the file.",
                param="plan",
            )
