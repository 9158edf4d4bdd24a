"""User-missing codes become missing values, as the codebook says."""

from __future__ import annotations

from typing import Any

import polars as pl

from lsakit.io.codebook import Codebook, Variable
from lsakit.io.frames import as_table


def without_missing_codes(data: Any, codebook: Codebook) -> pl.DataFrame:
    """Turn the missing codes of a table into missing values.

    Parameters
    ----------
    data : polars.DataFrame or pandas.DataFrame or Mapping of str to array of shape (n_rows,)
        The rows, with codes such as 97 or 99 as they stand in the file.
    codebook : Codebook
        Which codes of which variable are missing. Variables that the table lacks are passed over.

    Returns
    -------
    polars.DataFrame
        The rows with those codes empty.

    Examples
    --------
    >>> from lsakit.io.codebook import Codebook, Variable
    >>> book = Codebook(variables=(Variable(name="Q", type="integer", missing={9: "M"}),))
    >>> without_missing_codes({"Q": [1, 9, 2]}, book)["Q"].to_list()
    [1, None, 2]
    """
    table = as_table(data)
    known = [variable for variable in codebook if variable.name in table.columns]
    return table.with_columns([_emptied(variable, table) for variable in known if _has_codes(variable)])


def _has_codes(variable: Variable) -> bool:
    """Whether a variable has missing codes at all."""
    return bool(variable.missing) or variable.missing_range is not None


def _emptied(variable: Variable, table: pl.DataFrame) -> pl.Expr:
    """The column with its missing codes empty."""
    column = pl.col(variable.name)
    is_number = table.schema[variable.name].is_numeric()
    gone = pl.lit(value=False)
    for code in variable.missing:
        if is_number != isinstance(code, str):
            gone = gone | (column == code)
        else:
            gone = gone | (column.cast(pl.String) == str(code))
    if variable.missing_range is not None and is_number:
        low, high = variable.missing_range
        gone = gone | column.is_between(low, high)
    return pl.when(gone.not_()).then(column).otherwise(None).alias(variable.name)
