"""An index of economic, social and cultural status in the manner of PISA's ESCS.

Rules and references: docs/algorithms/questionnaire_scales.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lsakit.errors import EstimationError
from lsakit.io.frames import Table, as_table, floats, make_table, nullable_column, refuse_duplicates, strings
from lsakit.io.text_columns import text_column
from lsakit.irt.models import Floats
from lsakit.randomness import stream

COMPONENTS = ("hisei", "pared", "homepos")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    """How the index is made.

    Parameters
    ----------
    components : Sequence of str, default ("hisei", "pared", "homepos")
        Columns of the components.
    weights_of : str, default "equal"
        "equal" (PISA 2018 on) or "pca" (first principal component; PISA 2015 and before).
    reference : str, optional
        Column that is 1 or true for the students on whom everything is standardized; all by default.
    """

    components: Sequence[str] = COMPONENTS
    weights_of: str = "equal"
    reference: str | None = None

    def __post_init__(self) -> None:
        """Refuse options outside their range."""
        if self.weights_of not in ("equal", "pca") or len(self.components) < 2:
            raise EstimationError(
                f"An index needs two components or more and the weights 'equal' or 'pca'. Got "
                f"{len(self.components)} components and {self.weights_of!r}.",
                param="options",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SocioeconomicIndex:
    """The index and how it came about.

    Parameters
    ----------
    table : polars.DataFrame
        Columns student_id (where given), the standardized components (z_…), raw (mean of the components), index (standardized
        again), imputed (name of the imputed component or null), status ("complete", "imputed", "missing").
    loadings : dict of str to float
        Weight of each standardized component; they sum to 1.
    n_imputed : int
        Students with one imputed component.
    n_missing : int
        Students without an index.
    schema : str
        Name and version of this form.
    """

    table: Table
    loadings: dict[str, float]
    n_imputed: int
    n_missing: int
    schema: str = "lsakit.socioeconomic_index/1"


def socioeconomic_index(
    table: Any,
    seed: int,
    *,
    weights: str | ArrayLike | None = None,
    options: IndexOptions | None = None,
) -> SocioeconomicIndex:
    """Compute an index of socio-economic status.

    Parameters
    ----------
    table : table
        The components, a row per student; student_id is needed where a component must be imputed.
    seed : int
        Seed of the residual draws; each student has a stream of the own, so that nobody's value depends on another's.
    weights : str or array of shape (n_students,), optional
        Final or senate weights, dimensionless.
    options : IndexOptions, optional
        Components, weights, reference students.

    Returns
    -------
    SocioeconomicIndex
        The index of every student with at most one component missing.

    Raises
    ------
    EstimationError
        If a component does not vary, too few students are complete to impute, weights are negative or all zero, or
        nobody is in the reference.
    TableError
        If student identifiers are needed and absent or not unique, or a component is not numeric.

    References
    ----------
    .. [1] Avvisati (2020), The measure of socio-economic status in PISA: a review and some suggested improvements,
       Large-scale Assessments in Education 8(8).

    Examples
    --------
    >>> data = {"hisei": [30, 45, 60, 75], "pared": [9, 12, 14, 16], "homepos": [-1.1, -0.2, 0.3, 1.2]}
    >>> socioeconomic_index(data, seed=1).table["raw"].round(6).to_list()
    [-1.391227, -0.345885, 0.410334, 1.326778]
    """
    chosen = options or IndexOptions()
    own = as_table(table, param="table")
    names = list(chosen.components)
    raw = np.column_stack([floats(own, name, param="table", nulls=True) for name in names])
    weight = _weights(own, weights)
    base = weight * _reference(own, chosen.reference)
    standard = np.column_stack([_standardize(raw[:, j], base, names[j]) for j in range(len(names))])
    gone = np.isnan(standard)
    n_gone = gone.sum(axis=1)
    one = n_gone == 1
    if one.any():
        standard = _impute(own, standard, (gone, base), names, seed)
    there = n_gone <= 1
    loadings = _loadings(standard, base * there, chosen.weights_of)
    value = np.where(there, np.nan_to_num(standard) @ loadings, np.nan)
    index = _standardize(value, base, "index")
    which = [names[int(np.flatnonzero(gone[row])[0])] if one[row] else None for row in range(len(one))]
    columns: dict[str, Any] = {}
    if "student_id" in own.columns:
        columns["student_id"] = strings(own, "student_id", param="table")
    for place, name in enumerate(names):
        columns[f"z_{name}"] = nullable_column(
            np.ascontiguousarray(standard[:, place]), np.isnan(standard[:, place])
        )
    columns["raw"] = nullable_column(value, np.isnan(value))
    columns["index"] = nullable_column(index, np.isnan(index))
    columns["imputed"] = text_column(which)
    columns["status"] = np.where(n_gone == 0, "complete", np.where(one, "imputed", "missing"))
    return SocioeconomicIndex(
        table=make_table(columns),
        loadings=dict(zip(names, (loadings / loadings.sum()).tolist(), strict=True)),
        n_imputed=int(one.sum()),
        n_missing=int((n_gone > 1).sum()),
    )


def _weights(table: Table, weights: str | ArrayLike | None) -> Floats:
    """Weights of all rows, refused where negative or all zero."""
    if weights is None:
        return np.ones(table.height)
    own = floats(table, weights) if isinstance(weights, str) else np.asarray(weights, dtype=float)
    if own.shape != (table.height,) or (own < 0.0).any() or not own.sum() > 0.0:
        raise EstimationError(
            f"The weights must give one number per student, none negative and not all zero. Got shape {own.shape} "
            f"for {table.height} students.",
            param="weights",
        )
    return own


def _reference(table: Table, name: str | None) -> Floats:
    """1 for the students on whom the index is standardized."""
    if name is None:
        return np.ones(table.height)
    own = floats(table, name)
    if not np.isin(own, [0.0, 1.0]).all() or not own.any():
        raise EstimationError(
            f"The column {name!r} must be true for the reference students and false for the others, true at least once.",
            param="reference",
        )
    return own


def _standardize(values: Floats, weight: Floats, name: str) -> Floats:
    """Take the weighted mean off and divide by the standard deviation (divisor: sum of weights)."""
    known = np.isfinite(values)
    mass = weight[known]
    if mass.sum() > 0.0:
        mean = float(mass @ values[known] / mass.sum())
        spread = float(np.sqrt(mass @ (values[known] - mean) ** 2 / mass.sum()))
        if spread > 1e-12:
            return np.asarray((values - mean) / spread)
    raise EstimationError(
        f"The component {name!r} does not vary among the reference students.",
        hint="Leave it out, or check its column.",
        param=name,
    )


def _impute(
    table: Table,
    standard: Floats,
    known: tuple[NDArray[np.bool_], Floats],
    names: Sequence[str],
    seed: int,
) -> Floats:
    """Fill one missing component by regression on the others plus a residual drawn for the student."""
    gone, weight = known
    refuse_duplicates(table, "student_id", param="table")
    ids = strings(table, "student_id", param="table")
    complete = ~gone.any(axis=1) & (weight > 0.0)
    n_needed = len(names) + 1
    if int(complete.sum()) <= n_needed:
        raise EstimationError(
            f"Only {int(complete.sum())} students have every component; imputation needs more than {n_needed}.",
            hint="Impute elsewhere, or leave those students out.",
            param="components",
            got=int(complete.sum()),
        )
    out = standard.copy()
    for place in range(len(names)):
        rows = np.flatnonzero(gone[:, place] & (gone.sum(axis=1) == 1))
        if not len(rows):
            continue
        others = [column for column in range(len(names)) if column != place]
        design = np.column_stack([np.ones(int(complete.sum())), standard[complete][:, others]])
        root = np.sqrt(weight[complete])
        target = standard[complete, place]
        beta, _, rank, _ = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)
        if int(rank) < design.shape[1]:
            raise EstimationError(
                f"The component {names[place]!r} cannot be imputed: the others are collinear.",
                hint="Leave one of them out.",
                param="components",
            )
        residual = target - design @ beta
        n = int(complete.sum())
        variance = float(weight[complete] @ residual**2 / weight[complete].sum()) * n / (n - design.shape[1])
        draws = np.array(
            [stream(seed, f"index.{names[place]}", ids[row]).standard_normal() for row in rows.tolist()]
        )
        fitted = np.column_stack([np.ones(len(rows)), standard[rows][:, others]]) @ beta
        out[rows, place] = fitted + np.sqrt(variance) * draws
    return out


def _loadings(standard: Floats, weight: Floats, how: str) -> Floats:
    """Weights of the components."""
    n = standard.shape[1]
    if how == "equal":
        return np.full(n, 1.0 / n)
    known = ~np.isnan(standard).any(axis=1) & (weight > 0.0)
    own = standard[known]
    mass = weight[known] / weight[known].sum()
    gap = own - mass @ own
    _, vectors = np.linalg.eigh((gap * mass[:, None]).T @ gap)
    first = vectors[:, -1]
    first = first if first.sum() > 0.0 else -first
    return np.asarray(first / np.abs(first).sum())
