"""Which columns a name or a pattern of plausible values means."""

from __future__ import annotations

import re
from string import Formatter

from lsakit.errors import EstimationError, UnknownColumnError
from lsakit.io.frames import HasColumns, require_columns


def value_columns(table: HasColumns, values: str) -> tuple[str, ...]:
    """List the columns of an analysis variable.

    Parameters
    ----------
    table : polars.DataFrame or HasColumns
        The rows.
    values : str
        A column, or a pattern of plausible values such as ``"PV{m}MATH"`` or ``"ASMMAT{m:02d}"`` in which
        ``{m}`` counts from 1.

    Returns
    -------
    tuple of str
        One column, or every plausible value in its order.

    Raises
    ------
    UnknownColumnError
        If the column is absent or the pattern fits none.
    EstimationError
        If the pattern is not one, fits a single column, or skips a number.

    Examples
    --------
    >>> from lsakit.io.frames import make_table
    >>> value_columns(make_table({"PV1MATH": [1.0], "PV2MATH": [1.0], "AGE": [15]}), "PV{m}MATH")
    ('PV1MATH', 'PV2MATH')
    """
    if "{" not in values:
        require_columns(table, [values])
        return (values,)
    present = set(table.columns)
    columns: list[str] = []
    while (name := _numbered(values, len(columns) + 1)) in present:
        columns.append(name)
    later = [name for name in table.columns if name not in columns and _fits(values, name)]
    if later:
        missing = _numbered(values, len(columns) + 1)
        raise EstimationError(
            f"The plausible values {values!r} skip a number: {missing!r} is absent but {later[0]!r} is there.",
            why="Leaving plausible values out would change the measurement variance.",
            hint="Keep all plausible values of the file.",
            param=values,
        )
    if not columns:
        raise UnknownColumnError(
            f"No column of the table fits the pattern {values!r}.",
            hint=f"The first would be {_numbered(values, 1)!r}.",
            param=values,
        )
    if len(columns) == 1:
        raise EstimationError(
            f"Only one column fits the pattern {values!r}.",
            why="One plausible value shows nothing of the measurement error.",
            hint=f"Keep all plausible values, or name {columns[0]!r} itself if it is no plausible value.",
            param=values,
        )
    return tuple(columns)


def _numbered(pattern: str, m: int) -> str:
    """Fill the number into a pattern, or refuse what is not one."""
    try:
        fields = [field for _, field, _, _ in Formatter().parse(pattern) if field is not None]
        if fields != ["m"]:
            raise KeyError(pattern)
        return pattern.format(m=m)
    except (KeyError, IndexError, ValueError) as error:
        raise EstimationError(
            f"A pattern of plausible values holds the number {{m}} once. Got {pattern!r}.",
            hint="Write 'PV{m}MATH' for PV1MATH, PV2MATH ….",
            param=pattern,
        ) from error


def _fits(pattern: str, name: str) -> bool:
    """Say whether a column is one of the pattern's numbered names."""
    parts = [literal for literal, _, _, _ in Formatter().parse(pattern)]
    tail = parts[1] if len(parts) > 1 else ""
    match = re.fullmatch(re.escape(parts[0]) + r"(\d+)" + re.escape(tail), name)
    return match is not None and int(match[1]) > 0 and _numbered(pattern, int(match[1])) == name
