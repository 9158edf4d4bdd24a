"""A table as LaTeX source, with horizontal rules of the booktabs package."""

from __future__ import annotations

from typing import Any

from lsakit.io.frames import as_table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def latex_table(data: Any, *, digits: int = 2) -> str:
    """Write a table as a LaTeX ``tabular``.

    Parameters
    ----------
    data : polars.DataFrame or Mapping of str to array of shape (n_rows,)
        The table.
    digits : int, default 2
        Decimals of numbers that are not whole.

    Returns
    -------
    str
        Source that needs the packages booktabs and, for Vietnamese, a font that has its letters. Missing values
        are empty.

    Examples
    --------
    >>> print(latex_table({"CNT": ["A_B"], "n": [3], "mean": [1.5]}))
    \\begin{tabular}{lrr}
    \\toprule
    CNT & n & mean \\\\
    \\midrule
    A\\_B & 3 & 1.50 \\\\
    \\bottomrule
    \\end{tabular}
    """
    table = as_table(data)
    sides = "".join("r" if kind.is_numeric() else "l" for kind in table.schema.values())
    lines = [rf"\begin{{tabular}}{{{sides}}}", r"\toprule"]
    lines.append(" & ".join(_escaped(name) for name in table.columns) + r" \\")
    lines.append(r"\midrule")
    for row in table.iter_rows():
        lines.append(" & ".join(_cell(value, digits) for value in row) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _cell(value: object, digits: int) -> str:
    """Write one value."""
    if value is None:
        return ""
    return f"{value:.{digits}f}" if isinstance(value, float) else _escaped(str(value))


def _escaped(text: str) -> str:
    """Protect the characters that LaTeX reads as commands."""
    return "".join(_SPECIAL.get(character, character) for character in text)
