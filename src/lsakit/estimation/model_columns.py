"""From a formula and a table to the columns of a model.

See ``docs/algorithms/regression.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lsakit.errors import EstimationError
from lsakit.estimation.formula import Factor, Formula, Outcome
from lsakit.estimation.replication import NoRowsError, PreparedTable
from lsakit.estimation.rows import remembered_variable, rows_of
from lsakit.estimation.weight_cells import key_codes
from lsakit.io.frames import Table

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The columns of a model over the rows that have all of them.

    Parameters
    ----------
    ready : PreparedTable
        The complete rows.
    outcome : ndarray of shape (n_plausible_values, n_rows)
        The outcome; one line where it is a plain column.
    predictors : tuple of ndarray of shape (n_plausible_values, n_rows)
        Predictors, the intercept first where there is one; each of one line or of M lines.
    names : tuple of str
        Name of each predictor.
    n_plausible_values : int
        M; 1 where no plausible values stand in the formula.
    n_missing : int
        Rows left out because a variable is missing.
    """

    ready: PreparedTable
    outcome: Floats
    predictors: tuple[Floats, ...]
    names: tuple[str, ...]
    n_plausible_values: int
    n_missing: int

    @property
    def has_intercept(self) -> bool:
        """Whether the first predictor is the constant one."""
        return bool(self.names) and self.names[0] == INTERCEPT


@dataclass(frozen=True, slots=True)
class _Category:
    """A categorical variable: code of each row, −1 where missing, and the names of the codes."""

    codes: Integers
    labels: tuple[str, ...]
    is_whole: bool = False  # whether the labels are those of a larger table, all of which count


def model_columns(ready: PreparedTable, formula: Formula) -> Model:
    """Make the columns of a model from the rows that have every variable.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    formula : Formula
        The model.

    Returns
    -------
    Model
        Its columns.

    Raises
    ------
    EstimationError
        If no row is complete, a category is unknown, or patterns have different numbers of plausible values.
    TableError
        If a column is absent or not numeric.

    Notes
    -----
    Categories are those of the complete rows, in ascending order; the first is the reference unless the
    formula names another. Plausible values of several patterns are paired by their number.
    """
    categories, numbers, valid = _read(ready, formula)
    if not valid.any():
        raise NoRowsError(
            f"No row has a value of every variable of {formula.text!r}.",
            hint="Check the file and its missing codes.",
            param="formula",
        )
    n_values = _common_number(numbers)
    outcome, names, columns = _outcome(formula.outcome, categories, numbers, valid), [], []
    if formula.has_intercept:
        names.append(INTERCEPT)
        columns.append(np.ones((1, int(np.count_nonzero(valid)))))
    if formula.exposure is not None:
        names.append("exposure")
        columns.append(_outcome(formula.exposure, categories, numbers, valid))
    for term in formula.terms:
        for name, column in _term(term, categories, numbers, valid):
            if name not in names:
                names.append(name)
                columns.append(column)
    return Model(
        ready=rows_of(ready, valid),
        outcome=outcome,
        predictors=tuple(columns),
        names=tuple(names),
        n_plausible_values=n_values,
        n_missing=int(np.count_nonzero(~valid)),
    )


def category_label(value: object) -> str:
    """Write a category as text; whole floats without their point.

    Parameters
    ----------
    value : object
        Category as it stands in the table.

    Returns
    -------
    str
        Such as ``"2"`` for 2.0.

    Examples
    --------
    >>> category_label(2.0), category_label("Hà Nội")
    ('2', 'Hà Nội')
    """
    return f"{value:g}" if isinstance(value, float) else str(value)


def _read(ready: PreparedTable, formula: Formula) -> tuple[dict[str, _Category], dict[str, Floats], Mask]:
    """Read every variable once; say which rows have them all."""
    table = ready.table
    as_numbers, as_categories = formula_variables(formula)
    categories: dict[str, _Category] = {}
    numbers: dict[str, Floats] = {}
    valid = np.ones(table.height, dtype=np.bool_)
    for name in as_categories:
        categories[name] = ready.remembered(("category", name), partial(_category, ready, name))
        valid &= categories[name].codes >= 0
    for name in as_numbers:
        if name in table.columns and not table.get_column(name).dtype.is_numeric():
            _refuse_text(table, name)
        numbers[name], present = remembered_variable(ready, name)
        valid &= present
    return categories, numbers, valid


def formula_variables(formula: Formula) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell the variables of a formula that are numbers from those that are categories.

    Parameters
    ----------
    formula : Formula
        The model.

    Returns
    -------
    numbers : tuple of str
        Columns and patterns of plausible values, each once.
    categories : tuple of str
        Columns of categories, each once.
    """
    categories = [f.name for term in formula.terms for f in term if f.is_category]
    numbers = [f.name for term in formula.terms for f in term if not f.is_category]
    for condition in (formula.outcome, formula.exposure):
        if condition is not None:
            (categories if isinstance(condition.bound, str) else numbers).append(condition.name)
    in_order = tuple(name for name in formula.variables if name in numbers)
    return in_order, tuple(dict.fromkeys(categories))


def category_codes(ready: PreparedTable, name: str) -> tuple[Integers, Table]:
    """Number the categories of a column in ascending order.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells; where they are a part of a larger table, its categories are known already.
    name : str
        Column.

    Returns
    -------
    codes : ndarray of shape (n_rows,)
        Category of each row; −1 where it is missing.
    keys : polars.DataFrame
        The categories.
    """
    known: tuple[Integers, Table] | None = ready.memory.get(("codes", name))
    return key_codes(ready.table, [name]) if known is None else known


def is_whole_known(ready: PreparedTable, name: str) -> bool:
    """Say whether the rows are a part of a larger table whose categories are known.

    Parameters
    ----------
    ready : PreparedTable
        Rows with their cells.
    name : str
        Column of categories.

    Returns
    -------
    bool
        True in a shard.
    """
    return ("codes", name) in ready.memory


def _category(ready: PreparedTable, name: str) -> _Category:
    """The categories of a column as labels."""
    codes, keys = category_codes(ready, name)
    labels = tuple(category_label(value) for value in keys.get_column(name).to_list())
    return _Category(codes, labels, is_whole_known(ready, name))


def _refuse_text(table: Table, name: str) -> None:
    """Refuse a column of words as a number, with the way to use it as categories."""
    kind = str(table.get_column(name).dtype)
    if kind not in ("Boolean", "Null"):
        raise EstimationError(
            f"The variable {name!r} of the formula is no number but {kind}.",
            hint=f"Write C({name}) to use it as categories.",
            param=name,
        )


def _common_number(numbers: dict[str, Floats]) -> int:
    """Number of plausible values, the same for every pattern of the formula."""
    counts = {name: matrix.shape[0] for name, matrix in numbers.items() if matrix.shape[0] > 1}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name!r} has {count}" for name, count in counts.items())
        raise EstimationError(
            f"The patterns of the formula differ in their number of plausible values: {listed}.",
            why="Plausible values of two variables are paired by their number.",
            param="formula",
        )
    return max(counts.values(), default=1)


def _outcome(
    outcome: Outcome, categories: dict[str, _Category], numbers: dict[str, Floats], valid: Mask
) -> Floats:
    """The left side, compared with its bound where it has one."""
    if isinstance(outcome.bound, str):
        category = categories[outcome.name]
        if outcome.bound not in category.labels:
            _refuse_category(outcome.name, outcome.bound, category.labels)
        same = category.codes[valid] == category.labels.index(outcome.bound)
        return np.asarray(same if outcome.relation == "==" else ~same, dtype=np.float64)[np.newaxis]
    values = _kept(numbers[outcome.name], valid)
    if not outcome.relation:
        return values
    relations = {
        ">=": np.greater_equal,
        "<=": np.less_equal,
        "==": np.equal,
        "!=": np.not_equal,
        ">": np.greater,
        "<": np.less,
    }
    return np.asarray(relations[outcome.relation](values, outcome.bound), dtype=np.float64)


def _term(
    term: Sequence[Factor], categories: dict[str, _Category], numbers: dict[str, Floats], valid: Mask
) -> list[tuple[str, Floats]]:
    """Columns of one term: the products of the columns of its factors."""
    made: list[tuple[str, Floats]] = []
    for factor in term:
        parts: list[tuple[str, Floats]] = []
        if factor.is_category:
            parts = _indicators(factor, categories[factor.name], valid)
        else:
            name = factor.name if factor.power == 1 else f"{factor.name}^{factor.power}"
            column = _kept(numbers[factor.name], valid)
            parts = [(name, column if factor.power == 1 else column**factor.power)]
        made = [(f"{a}:{b}", x * y) for a, x in made for b, y in parts] if made else parts
    return made


def _kept(matrix: Floats, valid: Mask) -> Floats:
    """The rows that stay; the matrix itself where all do."""
    return matrix if valid.all() else np.ascontiguousarray(matrix[:, valid])


def _indicators(factor: Factor, category: _Category, valid: Mask) -> list[tuple[str, Floats]]:
    """One column per category but the reference."""
    codes = category.codes if valid.all() else category.codes[valid]
    present = np.arange(len(category.labels)) if category.is_whole else np.flatnonzero(np.bincount(codes))
    labels = [category.labels[code] for code in present.tolist()]
    reference = factor.reference or labels[0]
    if reference not in labels:
        _refuse_category(factor.name, reference, labels)
    return [
        (f"C({factor.name})[{label}]", (codes == code).astype(np.float64)[np.newaxis])
        for code, label in zip(present.tolist(), labels, strict=True)
        if label != reference
    ]


def _refuse_category(name: str, wanted: str, known: Sequence[str]) -> None:
    """Refuse a category that no complete row has."""
    raise EstimationError(
        f"The variable {name!r} has no category {wanted!r}. It has: {', '.join(known[:12])}.",
        param="formula",
        got=wanted,
    )


def stacked(model: Model, m: int) -> Any:
    """Lay the predictors and, last, the outcome of one plausible value side by side.

    Parameters
    ----------
    model : Model
        The columns.
    m : int
        Number of the plausible value, from 0.

    Returns
    -------
    ndarray of shape (n_rows, n_predictors + 1)
        Predictors and outcome.
    """
    columns = [*model.predictors, model.outcome]
    return np.stack([column[m if column.shape[0] > 1 else 0] for column in columns], axis=1)
