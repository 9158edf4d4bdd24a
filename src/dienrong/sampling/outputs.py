"""What a draw gives out: record, signature, frame, printed record, offline page, list of schools."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dienrong.core import clock
from dienrong.core.formats import day_text, moment_text, number_text, percent_text
from dienrong.registry.numeric import table_file
from dienrong.registry.queries import province_names
from dienrong.sampling import kept, queries, signing, words
from dienrong.sampling.models import Plan, SampledSchool
from dienrong.sampling.numeric import draws, frames
from dienrong.sampling.numeric.record_pdf import record_pdf
from dienrong.sampling.operations import demand_whole

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_STRATA_PRINTED = 16
PARQUET = "application/vnd.apache.parquet"
FRAME_FILES = ("frame.parquet", "frame.csv")
RECORD_FILES = ("record.json", "record.sig", "draw_key.pem", "record.pdf", "record.html")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Whether a draw was repeated, and its record signed as it is."""

    is_repeated: bool
    is_signed: bool
    findings: tuple[str, ...]


def response(content: bytes, kind: str, name: str) -> HttpResponse:
    """Give a file to be saved."""
    answer = HttpResponse(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def output(plan: Plan, name: str) -> HttpResponse | None:
    """Give one file of a plan by its name; None where there is none yet.

    Raises
    ------
    FrameChanged
        If the frozen frame is no longer what was frozen: a changed frame is never given out.
    """
    if name in FRAME_FILES and hasattr(plan, "frame"):
        demand_whole(plan)
        path = kept.frame_path(plan.frame)
        if name == "frame.csv":
            return response(frames.csv_of(path), "text/csv; charset=utf-8", name)
        return response(path.read_bytes(), PARQUET, name)
    draw = getattr(plan, "draw", None)
    if name not in RECORD_FILES or draw is None or draw.drawn_at is None:
        return None
    content = kept.record_bytes(draw)
    if name == "record.json":
        return response(content, "application/json", name)
    if name == "record.sig":
        return response(base64.b64decode(draw.signature), "application/octet-stream", name)
    if name == "draw_key.pem":
        return response(signing.public_pem(draw.public_key), "application/x-pem-file", name)
    text = content.decode("utf-8")
    if name == "record.pdf":
        return response(record_pdf(printed(plan, draws.read_record(text))), "application/pdf", name)
    return response(offline_page(plan, text).encode("utf-8"), "text/html; charset=utf-8", name)


def verification_of(plan: Plan) -> Checked:
    """Repeat a draw from its record and frame, and check the signature of the record."""
    content = kept.record_bytes(plan.draw)
    found = draws.verify(content.decode("utf-8"), kept.frame_path(plan.frame))
    is_signed = signing.is_signed(content, plan.draw.signature, plan.draw.public_key)
    return Checked(is_repeated=found.is_repeated, is_signed=is_signed, findings=found.findings)


def population_title(plan: Plan) -> str:
    """Name the population of a plan."""
    if plan.grade is not None:
        return _("Students of grade %(grade)s") % {"grade": plan.grade}
    return str(plan.get_population_display())


def design_facts(plan: Plan) -> list[tuple[str, str]]:
    """Tell a plan in pairs of words: population, frame, strata, rules of the draw."""
    design = plan.design
    frame = getattr(plan, "frame", None)
    strata = " · ".join(words.column_title(name) for name in design.get("explicit") or []) or _("none")
    order = " · ".join(words.column_title(name) for name in design.get("implicit") or []) or _("none")
    n_schools = design.get("n_schools") or 0
    total = sum(n_schools.values()) if isinstance(n_schools, dict) else n_schools
    found = [
        (_("Population"), f"{population_title(plan)} · {plan.get_phase_display()}"),
        (_("Frame of the day"), f"{day_text(plan.frame_date)} · {plan.school_year}"),
    ]
    if frame is not None:
        counts = _("%(schools)s schools · %(people)s people") % {
            "schools": number_text(frame.n_schools),
            "people": number_text(frame.n_people),
        }
        ci1 = frame.totals.get("ci1")
        coverage = "" if ci1 is None else " · " + _("coverage %(share)s") % {"share": percent_text(ci1, 2)}
        found += [(_("Frame"), counts + coverage), (_("Hash of the frame"), frame.hash)]
    certain = {"recompute": _("taken for sure, interval anew"), "cap": _("size cut to the interval")}
    small = {
        "floor": _("count with the smallest size"),
        "equal": _("equal probabilities"),
        "undersample": _("fewer of the very small"),
    }
    rules = " · ".join(
        (certain[design.get("certainty") or "recompute"], small[design.get("small_schools") or "floor"])
    )
    return [
        *found,
        (_("Explicit strata"), strata),
        (_("Implicit strata"), order),
        (
            _("Schools to draw"),
            _("%(schools)s, %(people)s people in each, %(replacements)s replacements")
            % {
                "schools": number_text(total),
                "people": number_text(design.get("n_students")),
                "replacements": design.get("n_replacements", 2),
            },
        ),
        (_("Very large and small schools"), rules),
    ]


def draw_facts(plan: Plan) -> list[tuple[str, str]]:
    """Tell a draw in pairs of words: commitment, source, number, seed, outcome, signature."""
    draw = plan.draw
    found = [
        (_("Commitment"), draw.commitment),
        (_("Published at"), moment_text(draw.committed_at)),
        (_("Public source"), f"{draw.source_name} · {moment_text(draw.source_due_at)}"),
    ]
    if draw.drawn_at is None:
        return found
    counts = queries.counts_of(draw)
    n_replacements = sum(n for role, n in counts.items() if role != SampledSchool.Role.ORIGINAL)
    return [
        *found,
        (_("What was announced"), draw.source_text),
        (_("Seed"), draw.seed),
        (_("Drawn"), moment_text(draw.drawn_at)),
        (
            _("Sample"),
            _("%(schools)s schools and %(replacements)s replacements")
            % {
                "schools": number_text(counts.get(SampledSchool.Role.ORIGINAL, 0)),
                "replacements": number_text(n_replacements),
            },
        ),
        (_("Hash of the sample"), draw.result_hash),
        (_("Key of the signature"), signing.fingerprint(draw.public_key)),
    ]


def printed(plan: Plan, record: dict[str, Any]) -> dict[str, Any]:
    """Give the words of the printed record."""
    strata = record["strata"]
    explicit = plan.design.get("explicit") or []
    rows = [
        [
            words.stratum_title(row["stratum"], explicit),
            number_text(row["n_frame"]),
            number_text(row["n_drawn"]),
            "–" if row["interval"] is None else number_text(row["interval"], 2),
            "–" if row["random_number"] is None else number_text(row["random_number"], 12),
        ]
        for row in strata
    ]
    sentences = [
        _(
            "Anyone repeats this draw with the published record and frame: lsa verify-draw record.json "
            "frame.parquet. The same record stands on the public page, which also works without network."
        )
    ]
    if len(rows) > MOST_STRATA_PRINTED:
        sentences.insert(
            0,
            _("The random starts of the %(n)s strata stand in the record and on the public page.")
            % {"n": number_text(len(rows))},
        )
        rows = []
    if plan.state == Plan.State.WITHDRAWN:
        sentences.insert(0, _("WITHDRAWN: %(reason)s") % {"reason": plan.withdrawn_reason})
    names = list(plan.draw.witnesses) or [_("Chair"), _("Secretary"), _("Witness")]
    return {
        "title": _("Record of the public draw"),
        "subtitle": f"{plan.title} · {plan.cycle.name}",
        "language": (get_language() or "vi")[:2],
        "facts": [list(pair) for pair in (*design_facts(plan), *draw_facts(plan))],
        "strata": {
            "columns": [_("Stratum"), _("Frame"), _("Drawn"), _("Interval"), _("Random start")],
            "rows": rows,
        },
        "sentences": sentences,
        "witnesses": names,
        "signature_words": {"title": _("Signatures")},
        "foot": _("Diện Rộng · record %(hash)s") % {"hash": plan.draw.result_hash},
    }


def offline_page(plan: Plan, record_text: str) -> str:
    """Write the page that holds the whole record and checks it without network: no address in it is opened."""
    sampling = files("dienrong.sampling").joinpath("static", "sampling")
    texts = draws.texts_of(draws.read_record(record_text))
    names = {row.school_code: row.name for row in queries.schools_of(plan.draw, queries.WHOLE_COUNTRY)}
    content = {
        "record_text": record_text,
        "commitment_text": texts["commitment"],
        "sample_text": texts["sample"],
        "names": names,
    }
    context = {
        "plan": plan,
        "draw": plan.draw,
        "facts": [*design_facts(plan), *draw_facts(plan)],
        "content": content,
        "style": sampling.joinpath("offline.css").read_text(encoding="utf-8"),
        "script": sampling.joinpath("offline.js").read_text(encoding="utf-8"),
        "language": (get_language() or "vi")[:2],
        "is_withdrawn": plan.state == Plan.State.WITHDRAWN,
    }
    return render_to_string("sampling/offline.html", context)


def sample_workbook(plan: Plan, rows: Iterable[SampledSchool]) -> bytes:
    """Write sampled schools as an Excel file."""
    provinces = province_names(clock.today())
    explicit = plan.design.get("explicit") or []
    headings = (
        _("School code"),
        _("School"),
        _("Order of the draw"),
        _("Role"),
        _("Replaces"),
        _("Province"),
        _("Commune code"),
        _("Stratum"),
        _("People"),
        _("Probability"),
        _("Base weight"),
        _("Taken for sure"),
    )
    cells = (
        (
            row.school_code,
            row.name,
            row.selection_order,
            str(row.get_role_display()),
            row.original.school_code if row.original else "",
            provinces.get(row.province_code, row.province_code),
            row.commune_code,
            words.stratum_title(row.stratum, explicit),
            row.n_people,
            row.probability,
            row.base_weight,
            _("yes") if row.is_certainty else "",
        )
        for row in rows
    )
    return table_file(_("Sample of schools"), headings, cells)
