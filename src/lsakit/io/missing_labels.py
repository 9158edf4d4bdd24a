"""Which kind of missing a label names, and how formats that know no kinds carry it.

SPSS knows which codes are missing but not why; Stata knows letters ``.a`` to ``.z`` but no codes. The label of
each missing code carries what the format cannot, in square brackets at its end, and only where needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lsakit.io.codebook import MISSING_KINDS, Code, Variable, as_code

_WORDS = (
    ("R", r"not reached|không (?:làm )?tới|chưa tới"),
    ("N", r"not administered|not applicable|logically|không (?:được )?giao|không áp dụng"),
    ("I", r"invalid|uninterpretable|không hợp lệ"),
    ("V", r"valid skip|bỏ qua hợp lệ"),
    ("D", r"suppressed|disclosure|bảo mật"),
    ("M", r"omitted|no response|bỏ trống|không trả lời"),
)
_KIND_MARK = re.compile(r" ?\[([VRNIMDU])\]$")
_CODE_MARK = re.compile(r" ?\[(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?: ([VRNIMDU]))?\]$")


def kind_of_label(label: str) -> str:
    """Tell which kind of missing a label names.

    Parameters
    ----------
    label : str
        Label of a user-missing code, in Vietnamese or English.

    Returns
    -------
    str
        One of the kinds of the codebook; ``"U"`` where the words do not say.

    Examples
    --------
    >>> kind_of_label("Not reached"), kind_of_label("Bỏ trống"), kind_of_label("Refused")
    ('R', 'M', 'U')
    """
    lower = label.lower()
    return next((kind for kind, words in _WORDS if re.search(words, lower)), "U")


def marked_labels(variable: Variable) -> dict[Code, str]:
    """Label every missing code so that its kind can be read back from the label.

    Parameters
    ----------
    variable : Variable
        A variable with missing codes.

    Returns
    -------
    dict of code to str
        All value labels; those of missing codes end in ``[M]`` and the like where their words do not say it.
    """
    labels = dict(variable.values)
    for code, kind in variable.missing.items():
        label = labels.get(code) or MISSING_KINDS[kind]
        labels[code] = (
            label if kind_of_label(label) == kind and not _KIND_MARK.search(label) else f"{label} [{kind}]"
        )
    return labels


def read_marked(labels: Mapping[Code, str], codes: list[Code]) -> tuple[dict[Code, str], dict[Code, str]]:
    """Undo ``marked_labels``.

    Parameters
    ----------
    labels : Mapping of code to str
        Value labels as they stand in a file.
    codes : list of code
        The codes that are missing.

    Returns
    -------
    labels : dict of code to str
        Value labels without marks.
    kinds : dict of code to str
        Kind of each missing code.
    """
    plain, kinds = dict(labels), {}
    for code in codes:
        label = labels.get(code, "")
        mark = _KIND_MARK.search(label)
        kinds[code] = mark.group(1) if mark else kind_of_label(label)
        if mark:
            plain[code] = label[: mark.start()]
    return plain, kinds


def letters_of(variable: Variable) -> dict[Code, str]:
    """Give each missing code one of Stata's letters.

    Parameters
    ----------
    variable : Variable
        A numeric variable.

    Returns
    -------
    dict of code to str
        ``m`` for omitted and so on, the small letter of the kind; another free letter for further codes of a kind.
    """
    letters: dict[Code, str] = {}
    free = [
        chr(number) for number in range(ord("a"), ord("z") + 1) if chr(number).upper() not in MISSING_KINDS
    ]
    for code, kind in variable.missing.items():
        own = kind.lower()
        letters[code] = own if own not in letters.values() else free.pop(0)
    return letters


def lettered_label(code: Code, letter: str, variable: Variable) -> str:
    """Write the label of a Stata letter so that code and kind can be read back.

    Parameters
    ----------
    code : int or float
        The missing code.
    letter : str
        Stata's letter.
    variable : Variable
        The variable.

    Returns
    -------
    str
        The label, ending in the code and, where the letter does not say it, the kind.
    """
    kind = variable.missing[code]
    label = variable.values.get(code) or MISSING_KINDS[kind]
    return f"{label} [{code}]" if letter.upper() == kind else f"{label} [{code} {kind}]"


def read_lettered(label: str, letter: str) -> tuple[str, int | float | None, str]:
    """Undo ``lettered_label``.

    Parameters
    ----------
    label : str
        Label of a Stata letter; empty where it has none.
    letter : str
        The letter.

    Returns
    -------
    label : str
        The words.
    code : int or float or None
        The code, where the label names one.
    kind : str
        Kind of missing.
    """
    by_letter = letter.upper() if letter.upper() in MISSING_KINDS else ""
    mark = _CODE_MARK.search(label)
    if mark is None:
        named = kind_of_label(label)
        return label, None, named if named != "U" else (by_letter or "U")
    return label[: mark.start()], as_code(mark.group(1)), mark.group(2) or by_letter or "U"
