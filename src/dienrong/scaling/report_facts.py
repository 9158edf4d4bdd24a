"""What the report of a run says beside its tables: study, data, decisions with reason and who, who ran it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dienrong.registry.queries import province_names
from dienrong.scaling import queries
from dienrong.scaling.models import ItemDecision, ScalingRun, StudyData
from dienrong.scaling.numeric import reports

NOBODY = "–"
PROVINCES = "province_code"


def language_now() -> str:
    """Give the reader's language as lsakit names it."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


def report_of(run: ScalingRun) -> reports.Report:
    """Compose the report of a run in the reader's language.

    Raises
    ------
    ResultGoneError
        If an artefact of the run is missing or was changed.
    """
    study = run.study
    return reports.compose(
        queries.store_path(study), queries.manifests_of(run), facts_of(run), language_now()
    )


def facts_of(run: ScalingRun) -> dict[str, Any]:
    """Give what the report must be told, as plain values."""
    study, data = run.study, run.data
    return {
        "title": study.title,
        "cycle": study.cycle.name,
        "subject": next((one.name for one in study.cycle.subjects.filter(code=study.subject)), study.subject),
        "run": run.number,
        "options": run.options,
        "software": run.software_version,
        "data": _data_words(data),
        "items": data.artefacts.get("items", {}).get("hash", ""),
        "inputs": {role: one["hash"] for role, one in sorted(data.artefacts.items())},
        "decisions": _decisions(run),
        "who": run.requested_by.full_name if run.requested_by else NOBODY,
        "day": timezone.localtime(run.finished_at).date().isoformat() if run.finished_at else "",
        "names": _names(run),
    }


def _names(run: ScalingRun) -> dict[str, dict[str, str]]:
    """Name the provinces, where one of the columns that the run uses holds them."""
    options = run.options
    used = {options.get("group"), *options.get("dif_by", ()), *options.get("conditioning", ())}
    if PROVINCES not in used or run.finished_at is None:
        return {}
    return {PROVINCES: province_names(timezone.localtime(run.finished_at).date())}


def _data_words(data: StudyData) -> str:
    """Say where the responses come from."""
    if data.source == StudyData.Source.RUN and data.run is not None:
        return _("run %(number)d of the cycle") % {"number": data.run.number}
    names = ", ".join(str(one.get("name", "")) for one in data.files.values())
    return _("files: %(names)s") % {"names": names or NOBODY}


def _decisions(run: ScalingRun) -> list[dict[str, Any]]:
    """Give the decisions that the run had, with the reason and the person that each keeps."""
    kept = {
        one.pk: one
        for one in ItemDecision.objects.filter(pk__in=[one["id"] for one in run.decisions]).select_related(
            "taken_by"
        )
    }
    found = []
    for one in run.decisions:
        own = kept.get(one["id"])
        found.append(
            {
                "item": one["item"],
                "kind": one["kind"],
                "scores": one.get("scores", {}),
                "groups": list(one.get("groups", ())),
                "reason": own.reason if own else "",
                "who": own.taken_by.full_name if own and own.taken_by else NOBODY,
                "day": timezone.localtime(own.taken_at).date().isoformat() if own else "",
            }
        )
    return found


def official_form() -> dict[str, Any]:
    """Give what the Word file bears as an official document; number, date and signer stay open."""
    return {
        "agency": _("Ministry of Education and Training"),
        "symbol": "BC-BGDĐT",
        "place": _("Ha Noi"),
        "kind": _("Report"),
        "authority": (_("Head of the unit"),),
        "recipients": (_("Steering committee of the assessment"), _("File: office")),
    }
