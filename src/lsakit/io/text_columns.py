"""Columns of text that may be empty or missing and stay text in any case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl


def text_column(values: Iterable[str | None]) -> Any:
    """Make a column of text.

    Parameters
    ----------
    values : Iterable of str or None
        Texts; None is missing.

    Returns
    -------
    polars.Series
        The column, of text also where there is no row or no text.

    Examples
    --------
    >>> text_column([]).dtype, text_column([None]).dtype
    (String, String)
    """
    return pl.Series("", list(values), dtype=pl.String)
