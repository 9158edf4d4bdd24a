"""Which number stands for which kind of missing: at the top of a variable's width, by programme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lsakit.errors import TableError
from lsakit.io.codebook import Code, Codebook, Variable

# Last digit of the code of each kind; the digits before it are nines. Kinds: docs/algorithms/disclosure_control.md.
LAST_DIGIT: Mapping[str, Mapping[str, int]] = {
    "pisa": {"D": 4, "V": 5, "R": 6, "N": 7, "I": 8, "M": 9},
    "iea": {"D": 4, "V": 5, "R": 6, "I": 7, "N": 8, "M": 9},
}
FIRST_DIGIT = 4


def missing_codes(width: int, kinds: Iterable[str], *, programme: str = "pisa") -> dict[Code, str]:
    """Give the missing codes of a numeric variable.

    Parameters
    ----------
    width : int
        Digits of the variable, at least 1.
    kinds : Iterable of {"V", "R", "N", "I", "M", "D"}
        Kinds that the variable knows.
    programme : {"pisa", "iea"}, default "pisa"
        Whose numbers.

    Returns
    -------
    dict of int to str
        Kind of each code, in ascending order of the codes.

    Raises
    ------
    TableError
        If the programme or a kind is unknown.

    Examples
    --------
    >>> missing_codes(1, "RM"), missing_codes(3, "D"), missing_codes(1, "N", programme="iea")
    ({6: 'R', 9: 'M'}, {994: 'D'}, {8: 'N'})
    """
    digits = LAST_DIGIT.get(programme)
    wanted = list(kinds)
    if digits is None or any(kind not in digits for kind in wanted):
        raise TableError(
            f"The missing codes of {programme!r} for the kinds {wanted} are not known.",
            hint=f"Programmes: {', '.join(LAST_DIGIT)}; kinds: V, R, N, I, M, D.",
            param="programme",
            got=programme,
        )
    base = 10**width - 10
    return dict(sorted((base + digits[kind], kind) for kind in wanted))


def width_for(highest: int) -> int:
    """Give the width that leaves room for missing codes above the highest legal value.

    Parameters
    ----------
    highest : int
        Highest legal value, from 0.

    Returns
    -------
    int
        Digits.

    Examples
    --------
    >>> width_for(2), width_for(4), width_for(96)
    (1, 2, 3)
    """
    width = 1
    while highest >= 10**width - 10 + FIRST_DIGIT:
        width += 1
    return width


def refuse_collisions(codebook: Codebook, legal: Mapping[str, Iterable[int | float]] | None = None) -> None:
    """Refuse a codebook in which a missing code is also a legal value (check C7).

    Parameters
    ----------
    codebook : Codebook
        The codebook.
    legal : Mapping of str to Iterable of number, optional
        Legal values of a variable beside its range, such as the codes of its categories or the values in the data.

    Raises
    ------
    TableError
        With the variable and the codes.
    """
    for variable in codebook:
        found = _colliding(variable, tuple((legal or {}).get(variable.name, ())))
        if found:
            raise TableError(
                f"The missing code(s) {', '.join(str(code) for code in found)} of {variable.name!r} are also "
                "legal values (C7).",
                why="A reader could not tell a value from a missing one.",
                hint=f"Widen the variable to {width_for(int(max(found)))} digits; missing codes then stand above.",
                param=variable.name,
                got=found,
            )


def _colliding(variable: Variable, legal: tuple[int | float, ...]) -> list[int | float]:
    """List the missing codes that are legal values."""
    span = variable.valid_range
    values = set(legal)
    return [
        code
        for code in variable.missing
        if not isinstance(code, str) and (code in values or (span is not None and span[0] <= code <= span[1]))
    ]
