"""What may be said of a row: its direction by its interval, its numbers in words, its counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.tables.publication import Row, reason_of
from lsakit.tables.texts import Texts

UP, DOWN, LEVEL_WITH, UNTESTED = "up", "down", "none", "untested"
TEXTS = "standard_figures"
SHARE_STARTS = ("below_", "level_", "at_or_above_")
FEW = 3


def say(texts: Texts, key: str, **values: object) -> str:
    """Give a text of this package.

    Parameters
    ----------
    texts : Texts
        Language.
    key : str
        Key below ``standard_figures``.
    **values : object
        What is filled in.

    Returns
    -------
    str
        The text.
    """
    return texts.say(f"{TEXTS}.{key}", **values)


def is_published(row: Mapping[str, Any] | None) -> bool:
    """Tell whether a row holds numbers that may be shown.

    Parameters
    ----------
    row : Mapping or None
        An estimate.

    Returns
    -------
    bool
        False without a row, where it is suppressed, or without an estimate.
    """
    return row is not None and not row["suppressed_because"] and row["estimate"] is not None


def has_interval(row: Mapping[str, Any] | None) -> bool:
    """Tell whether a published row has an interval.

    Parameters
    ----------
    row : Mapping or None
        An estimate.

    Returns
    -------
    bool
        False where one of the ends is absent.
    """
    return is_published(row) and row is not None and None not in (row["ci_low"], row["ci_high"])


def direction(row: Mapping[str, Any] | None) -> str:
    """Say which way a difference goes, by its interval alone.

    Parameters
    ----------
    row : Mapping or None
        A difference or a change.

    Returns
    -------
    str
        ``"up"`` or ``"down"`` where the interval leaves out 0, ``"none"`` where it holds 0, ``"untested"`` where
        there is no interval.

    Examples
    --------
    >>> direction({"suppressed_because": None, "estimate": 2.0, "ci_low": 0.1, "ci_high": 3.9})
    'up'
    """
    if row is None or not has_interval(row):
        return UNTESTED
    if row["ci_low"] > 0:
        return UP
    return DOWN if row["ci_high"] < 0 else LEVEL_WITH


def kind_of(statistic: str) -> str:
    """Say in which unit a statistic is written.

    Parameters
    ----------
    statistic : str
        Name of the statistic.

    Returns
    -------
    str
        ``"share"`` for shares of levels and the strength of a gradient, ``"hundredth"`` for the index, else
        ``"score"``.
    """
    if statistic.startswith(SHARE_STARTS) or statistic == "strength":
        return "share"
    return "hundredth" if statistic == "ses_mean" else "score"


def written(value: float, kind: str, texts: Texts) -> str:
    """Write a number of a kind.

    Parameters
    ----------
    value : float
        The number; a share between 0 and 1.
    kind : str
        As `kind_of` says.
    texts : Texts
        Language.

    Returns
    -------
    str
        The number as read.
    """
    if kind == "share":
        return texts.share(value)
    return texts.number(value, 2 if kind == "hundredth" else 1)


def amount(value: float, kind: str, texts: Texts) -> str:
    """Write the size of a difference with its unit, without its sign.

    Parameters
    ----------
    value : float
        A difference.
    kind : str
        Kind of the numbers that differ.
    texts : Texts
        Language.

    Returns
    -------
    str
        Such as "12.3 points" or "2.1 percentage points".
    """
    size = abs(value)
    number = texts.number(100 * size if kind == "share" else size, 1)
    return say(texts, "percentage_points" if kind == "share" else "points", number=number)


def bounds(row: Mapping[str, Any], kind: str, texts: Texts) -> str:
    """Write the interval of a row in words.

    Parameters
    ----------
    row : Mapping
        An estimate with an interval.
    kind : str
        Its kind.
    texts : Texts
        Language.

    Returns
    -------
    str
        Such as "from 1.0 to 3.0".
    """
    low, high = (written(row[end], kind, texts) for end in ("ci_low", "ci_high"))
    return say(texts, "from_to", low=low, high=high)


def in_words(label: str, row: Mapping[str, Any], texts: Texts) -> str:
    """Tell a row for somebody who does not see the drawing.

    Parameters
    ----------
    label : str
        Name of the row.
    row : Mapping
        An estimate.
    texts : Texts
        Language.

    Returns
    -------
    str
        Name, number and interval, or the reason why there is none.
    """
    reason = reason_of(row, texts)
    if reason:
        return f"{label}: {texts.say('column.suppressed', reason=reason)}"
    if row["estimate"] is None:
        return f"{label}: {say(texts, 'no_number')}"
    kind = kind_of(str(row["statistic"]))
    number = written(row["estimate"], kind, texts)
    return f"{label}: {number} ({bounds(row, kind, texts)})" if has_interval(row) else f"{label}: {number}"


def sentence(start: str, parts: Sequence[str]) -> str:
    """Join an opening and the rows told.

    Parameters
    ----------
    start : str
        Opening, without its last mark.
    parts : Sequence of str
        Rows told.

    Returns
    -------
    str
        One text.
    """
    return f"{start}. {'; '.join(parts)}." if parts else f"{start}."


def counts(rows: Sequence[Row], texts: Texts) -> str:
    """Say how many students stand behind a figure.

    Parameters
    ----------
    rows : Sequence of dict
        The rows drawn.
    texts : Texts
        Language.

    Returns
    -------
    str
        One number, or the least and the most per group; only published rows count. Empty without such a row.
    """
    found = [int(row["n"]) for row in rows if is_published(row) and row["n"] is not None]
    if not found:
        return ""
    least, most = min(found), max(found)
    if least == most:
        return say(texts, "n_one", n=texts.number(least))
    return say(texts, "n_range", least=texts.number(least), most=texts.number(most))


def hidden_note(named: Sequence[tuple[str, Row]], texts: Texts) -> str:
    """Name the rows that are not published, with their reason.

    Parameters
    ----------
    named : Sequence of tuple
        Label and row.
    texts : Texts
        Language.

    Returns
    -------
    str
        One sentence; empty where all are published.
    """
    told = [f"{label} ({reason_of(row, texts)})" for label, row in named if row["suppressed_because"]]
    return say(texts, "hidden", named="; ".join(dict.fromkeys(told))) if told else ""


def note_of(*sentences: str) -> str:
    """Join the sentences of a note.

    Parameters
    ----------
    *sentences : str
        Sentences; empty ones are left out.

    Returns
    -------
    str
        The note.
    """
    return " ".join(text for text in sentences if text)
