"""Participation codes: what each means, whether a replacement is used, how a programme treats it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from lsakit.io.frames import Table, make_table
from lsakit.weighting.profiles import CODE_LIST, Rules, read_rules

TREATMENTS = ("participant", "respondent", "nonrespondent", "excluded", "ineligible", "not_sampled")


def participation_codes(rules: str | Rules | Mapping[str, Any] = "pisa") -> Table:
    """List the participation codes of schools and students as one programme treats them.

    Parameters
    ----------
    rules : str or Rules or Mapping, default "pisa"
        The programme.

    Returns
    -------
    polars.DataFrame
        One row per code: unit ("school" or "student"), code, meaning_en, meaning_vi, uses_replacement
        ("yes", "no", "not_applicable"; null for students), treatment ("participant", "respondent",
        "nonrespondent", "excluded", "ineligible", "not_sampled"; null where the programme does not know
        the code), programme_label (null for schools).

    Raises
    ------
    DesignError
        If the rules are unknown or not complete.

    References
    ----------
    .. [1] ``docs/algorithms/response_rates.md``.

    Examples
    --------
    >>> participation_codes("pisa").filter(code=20, unit="student")["treatment"].to_list()
    ['nonrespondent']
    """
    ruled = read_rules(rules)
    text = resources.files("lsakit.weighting.rules").joinpath(CODE_LIST).read_text("utf-8")
    known = tomllib.loads(text)
    rows = [
        {
            "unit": unit,
            "code": one["code"],
            "meaning_en": one["en"],
            "meaning_vi": one["vi"],
            "uses_replacement": one.get("uses_replacement"),
            "treatment": _treatment(ruled, unit, one["code"]),
            "programme_label": _label(ruled, one["code"]) if unit == "student" else None,
        }
        for unit in ("school", "student")
        for one in known[unit]
    ]
    return make_table({name: [row[name] for row in rows] for name in rows[0]})


def _treatment(rules: Rules, unit: str, code: int) -> str | None:
    """Find the group of a code."""
    groups = rules.school_status if unit == "school" else rules.student_status
    found = [name for name in TREATMENTS if code in getattr(groups, name, ())]
    return found[0] if found else None


def _label(rules: Rules, code: int) -> str | None:
    """Find the programme's own label of a student code."""
    return next((one.label for one in rules.student_labels if code in one.codes), None)
