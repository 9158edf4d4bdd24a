"""The tables of a calibration beside its items: groups and convergence record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lsakit.io.frames import Table, floats, make_table, nullable_column, with_columns
from lsakit.irt.em import Layout
from lsakit.irt.models import Floats
from lsakit.irt.standard_errors import Covariance


def group_table(
    groups: Sequence[str], mean: Floats, sd: Floats, errors: Floats, sizes: Sequence[int]
) -> Table:
    """Write ``cal.groups``.

    Parameters
    ----------
    groups : Sequence of str of shape (n_groups,)
        Names.
    mean : ndarray of shape (n_groups,)
        Means, logits.
    sd : ndarray of shape (n_groups,)
        Standard deviations, logits.
    errors : ndarray of shape (n_groups, 2)
        Standard errors of both; NaN where fixed.
    sizes : Sequence of int of shape (n_groups,)
        Students who count.

    Returns
    -------
    polars.DataFrame
        Columns group, mean, sd, se_mean, se_sd, n.
    """
    return make_table(
        {
            "group": list(groups),
            "mean": mean,
            "sd": sd,
            "se_mean": nullable_column(errors[:, 0], np.isnan(errors[:, 0])),
            "se_sd": nullable_column(errors[:, 1], np.isnan(errors[:, 1])),
            "n": np.asarray(sizes, dtype=np.int64),
        }
    )


def history_table(steps: Sequence[tuple[float, float]]) -> Table:
    """Write the convergence record.

    Parameters
    ----------
    steps : Sequence of tuple of (float, float)
        Log-likelihood and largest change of each expectation step.

    Returns
    -------
    polars.DataFrame
        Columns iteration, loglik, change.
    """
    record = np.array(steps, dtype=float).reshape(-1, 2)
    return make_table(
        {
            "iteration": np.arange(1, len(record) + 1, dtype=np.int64),
            "loglik": np.ascontiguousarray(record[:, 0]),
            "change": np.ascontiguousarray(record[:, 1]),
        }
    )


def shared_table(layout: Layout, vector: Floats, spread: Covariance | None) -> Table | None:
    """Write the parameters that items share.

    Parameters
    ----------
    layout : Layout
        What is free.
    vector : ndarray of shape (n_free,)
        Parameters at the solution.
    spread : Covariance or None
        Their covariance, where it was computed.

    Returns
    -------
    polars.DataFrame or None
        Columns parameter, estimate, se (null where not computed); None without shared parameters.
    """
    if not layout.bindings:
        return None
    names = [name for binding in layout.bindings for name in binding.names]
    values = np.concatenate(layout.shared_parts(vector))
    errors = np.full(len(names), np.nan)
    if spread is not None:
        errors = np.sqrt(np.concatenate([np.diag(block) for block in spread.shared]))
    return make_table(
        {"parameter": names, "estimate": values, "se": nullable_column(errors, np.isnan(errors))}
    )


def without_values(table: Table, gone: Mapping[str, NDArray[np.bool_]]) -> Table:
    """Empty cells of a table of items.

    Parameters
    ----------
    table : polars.DataFrame
        Items.
    gone : Mapping of str to ndarray of shape (n_items,)
        Marks per column; columns that are not there are passed over.

    Returns
    -------
    polars.DataFrame
        The same table, the marked cells null.
    """
    columns = {}
    for name, marks in gone.items():
        if name in table.columns:
            values = floats(table, name, param="items", nulls=True)
            columns[name] = nullable_column(values, np.isnan(values) | marks)
    return with_columns(table, columns) if columns else table
