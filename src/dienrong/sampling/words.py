"""Words of this room: columns of a frame, findings of its checks, how a probability came about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from dienrong.core.formats import number_text, percent_text
from dienrong.registry.columns import LEVELS
from dienrong.registry.models import SchoolTraits
from dienrong.sampling.numeric.draws import Origin

ACTIONS = {
    "sampling.plan_created": gettext_lazy("Sampling plan made"),
    "sampling.plan_changed": gettext_lazy("Sampling plan changed"),
    "sampling.source_chosen": gettext_lazy("Source of the frame chosen"),
    "sampling.columns_matched": gettext_lazy("Columns of the frame matched"),
    "sampling.exclusions_set": gettext_lazy("Exclusions set"),
    "sampling.design_changed": gettext_lazy("Strata and numbers changed"),
    "sampling.precision_changed": gettext_lazy("Precision changed"),
    "sampling.frame_frozen": gettext_lazy("Frame frozen"),
    "sampling.commitment_published": gettext_lazy("Commitment published"),
    "sampling.sample_drawn": gettext_lazy("Sample drawn"),
    "sampling.plan_withdrawn": gettext_lazy("Sampling plan withdrawn"),
}
RULES = {
    "national": gettext_lazy("National assessment"),
    "pisa": "PISA",
    "timss": "TIMSS, PIRLS",
    "seaplm": "SEA-PLM",
    "talis": "TALIS",
    "naep": "NAEP",
}
COLUMNS = {
    "school_id": gettext_lazy("School code"),
    "name": gettext_lazy("Name of the school"),
    "province_code": gettext_lazy("Province code"),
    "province": gettext_lazy("Province"),
    "region": gettext_lazy("Region"),
    "commune_code": gettext_lazy("Commune code"),
    "kind": gettext_lazy("Kind of school"),
    "levels": gettext_lazy("Levels"),
    "area": gettext_lazy("Area"),
    "sector": gettext_lazy("Sector"),
    "managed_by": gettext_lazy("Managing body"),
    "disadvantaged": gettext_lazy("Disadvantaged area"),
    "border": gettext_lazy("Border commune"),
    "boarding": gettext_lazy("Boarding"),
    "enrolment": gettext_lazy("People of the population"),
    "classes": gettext_lazy("Classes of the grade"),
    "total_enrolment": gettext_lazy("Pupils of the whole school"),
}
YES_NO = {"yes": gettext_lazy("yes"), "no": gettext_lazy("no")}
CODES: dict[str, dict[str, Any]] = {
    "kind": dict(SchoolTraits.Kind.choices),
    "area": dict(SchoolTraits.Area.choices),
    "sector": dict(SchoolTraits.Sector.choices),
    "managed_by": dict(SchoolTraits.ManagedBy.choices),
    "boarding": dict(SchoolTraits.Boarding.choices),
    "disadvantaged": YES_NO,
    "border": YES_NO,
    "levels": {level: level for level in LEVELS},
}
COVERAGE_REASONS = {
    "remote": gettext_lazy("Not to be reached, very small"),
    "special": gettext_lazy("Only pupils with special needs"),
    "other": gettext_lazy("Another reason, language included"),
}
CHECKS: dict[tuple[str, str], Any] = {
    ("F1", "error"): gettext_lazy(
        "School codes are missing or stand twice. Keep one row for each school, with its code from the register."
    ),
    ("F1", "warning"): gettext_lazy(
        "Schools of one commune share a name. Look whether they are different schools."
    ),
    ("F2", "error"): gettext_lazy(
        "The number of people is missing, negative or no whole number. Correct it in the registry, or leave "
        "these schools out with a reason."
    ),
    ("F3", "error"): gettext_lazy(
        "Schools without people cannot be drawn. Leave them out, correct them, or let the plan raise them to "
        "the smallest size."
    ),
    ("F3", "warning"): gettext_lazy(
        "Schools without people are drawn with the size that the plan gives small schools."
    ),
    ("F4", "error"): gettext_lazy(
        "A column of the strata has no value, or one that is not of its list. Fill it in."
    ),
    ("F5", "error"): gettext_lazy(
        "The frame differs from the official number of pupils by more than 5%. Find out which is right."
    ),
    ("F5", "warning"): gettext_lazy("The frame differs from the official number of pupils by more than 1%."),
    ("F6", "warning"): gettext_lazy(
        "Classes of more than 60 or fewer than 3 pupils, or a number that changed by more than half."
    ),
    ("F7", "error"): gettext_lazy(
        "Satellite sites are listed beside the school that counts their pupils: these would count twice."
    ),
    ("F8", "error"): gettext_lazy(
        "Numbers and frame do not fit: a stratum has fewer schools than are asked, fewer than two are asked, or "
        "a stratum stands in one of both alone. The table of the strata shows which."
    ),
    ("F11", "error"): gettext_lazy(
        "The grade has more pupils than its school, or more classes than pupils. Correct the counts."
    ),
}
CHECK_COLUMNS = {
    "F1": ("school_id", "name"),
    "F2": ("enrolment",),
    "F3": ("enrolment",),
    "F5": ("enrolment",),
    "F6": ("enrolment", "classes"),
    "F11": ("enrolment", "classes", "total_enrolment"),
}


def column_title(name: str) -> str:
    """Name a column of a frame; a column of an uploaded file has its own name."""
    return str(COLUMNS.get(name, name))


def value_title(column: str, value: str) -> str:
    """Name a value of a column."""
    return str(CODES.get(column, {}).get(value, value))


def stratum_title(label: str, columns: Iterable[str]) -> str:
    """Name a stratum: its values in words, in the order of its columns."""
    names = list(columns)
    if not names:
        return _("the whole country")
    parts = label.split(" / ")
    if len(parts) != len(names):
        return label
    return " · ".join(value_title(name, part) for name, part in zip(names, parts, strict=True))


def finding_rows(findings: Iterable[Any], explicit: Iterable[str]) -> list[dict[str, Any]]:
    """Put findings into words: what, which column, which schools, what to do."""
    names = list(explicit)
    return [
        {
            "check": one.check,
            "is_error": one.severity == "error",
            "n": one.n,
            "sentence": str(CHECKS.get((one.check, one.severity), one.sentence)),
            "columns": ", ".join(column_title(name) for name in CHECK_COLUMNS.get(one.check, names)),
            "rows": one.rows,
        }
        for one in findings
    ]


def origin_sentences(origin: Origin) -> list[str]:
    """Tell how the probability of a school came about."""
    facts = {
        "place": number_text(origin.place),
        "n": number_text(origin.n_frame),
        "size": number_text(origin.size),
        "measure": _size_text(origin.measure),
        "asked": number_text(origin.n_asked),
        "total": _size_text(origin.total),
        "interval": _size_text(origin.interval or 0),
        "probability": percent_text(origin.probability, 4),
        "weight": number_text(1 / origin.probability, 4) if origin.probability else "–",
    }
    sentences = [
        _("It stands at place %(place)s of %(n)s in the sorted list of its stratum.") % facts,
        _("Its size is %(size)s; in the draw it counts with %(measure)s.") % facts,
        ngettext(
            "%(asked)s school was asked from a total size of %(total)s.",
            "%(asked)s schools were asked from a total size of %(total)s.",
            origin.n_asked,
        )
        % facts,
    ]
    if origin.is_certainty:
        sentences.append(_("It is as large as the interval and is taken for sure: probability 1."))
    elif origin.interval:
        sentences.append(
            _(
                "One school is taken every %(interval)s people, so its probability is %(measure)s divided by "
                "%(interval)s: %(probability)s; its weight, if taken, is %(weight)s."
            )
            % facts
        )
    sentences.append(_("It was drawn.") if origin.is_drawn else _("It was not drawn."))
    return sentences


def _size_text(value: float) -> str:
    """Write a size with decimals only where there are any."""
    return number_text(value, 0 if float(value).is_integer() else 2)
