"""What statistics and groups are called, in reports and wherever a figure is shown alone."""

from __future__ import annotations

from collections.abc import Mapping

from lsakit.tables.texts import Texts

EARLIER, CHANGE = "earlier_", "change_"
SHARES = ("below_", "level_", "at_or_above_", "correct_", "relative_", "icc", "strength")


def is_share(statistic: str) -> bool:
    """Tell whether a statistic is a share, or a difference of shares.

    Parameters
    ----------
    statistic : str
        Statistic.

    Returns
    -------
    bool
        True for shares of levels, percent correct, the strength of a gradient and the intraclass correlation.

    Examples
    --------
    >>> is_share("change_at_or_above_2"), is_share("slope")
    (True, False)
    """
    return statistic.removeprefix(EARLIER).removeprefix(CHANGE).startswith(SHARES)


def statistic_name(statistic: str, texts: Texts) -> str:
    """Name a statistic.

    Parameters
    ----------
    statistic : str
        Statistic.
    texts : Texts
        Language.

    Returns
    -------
    str
        Its name; a statistic without one stands for itself.

    Examples
    --------
    >>> statistic_name("change_at_or_above_2", Texts("en"))
    'Change: At level 2 or above'
    """
    for prefix in (EARLIER, CHANGE):
        if statistic.startswith(prefix):
            own = statistic_name(statistic.removeprefix(prefix), texts)
            return texts.say(f"statistic.{prefix}", statistic=own)
    if texts.has(f"level.{statistic}"):
        return texts.say(f"level.{statistic}")
    if statistic.startswith("at_or_above_"):
        return texts.say("statistic.at_or_above", level=statistic.rpartition("_")[2])
    for prefix in ("correct_", "relative_"):
        domain = f"domain.{statistic.removeprefix(prefix)}"
        if statistic.startswith(prefix) and texts.has(domain):
            return texts.say(f"statistic.{prefix}", domain=texts.say(domain))
    if statistic.startswith("p") and statistic[1:].isdigit():
        return texts.say("column.percentile", p=int(statistic[1:]))
    return texts.say(f"statistic.{statistic}") if texts.has(f"statistic.{statistic}") else statistic


def group_name(by: str, group: str, names: Mapping[str, str], texts: Texts) -> str:
    """Name a group, or the two groups of a difference.

    Parameters
    ----------
    by : str
        Grouping, columns joined by ``+``.
    group : str
        Group, values joined by ``+``; of a difference the last one is ``first-second``.
    names : Mapping of str to str
        Names of provinces and regions by code.
    texts : Texts
        Language.

    Returns
    -------
    str
        Its name.

    Examples
    --------
    >>> group_name("province_code+gender", "01+F-M", {"01": "Hà Nội"}, Texts("en"))
    'Hà Nội, Girls – Boys'
    """

    def label(key: str, part: str) -> str:
        return names.get(part) or texts.group(key, part)

    named = []
    for key, part in zip(by.split("+"), group.split("+"), strict=False):
        first, mark, second = part.partition("-")
        is_pair = bool(mark) and (label(key, first) != first or key == "province_code")
        named.append(f"{label(key, first)} – {label(key, second)}" if is_pair else label(key, part))
    return ", ".join(named)
