"""Loading phases and documents of plans from data files, word by word; a document that is loaded stays as it is."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from dienrong.audit.operations import record
from dienrong.core import clock
from dienrong.plans.definitions import INDICATORS
from dienrong.plans.models import Phase, PlanDocument, PlanSection, Target
from dienrong.plans.operations.refusals import NotNow, PlanRefusal
from dienrong.registry.models import AdministrativeUnit

DATA = "dienrong.plans"
UNDATED_DAY = datetime.date(2025, 1, 1)
"""Day on which the province of a document without a day of issue is sought: before the mergers of 1 July 2025."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did: documents that are new, that stood here unchanged, and those whose province is not registered."""

    new: tuple[str, ...]
    known: tuple[str, ...]
    without_unit: tuple[str, ...]


def shipped() -> dict[str, str]:
    """Give the data files of documents that come with the program, by their code."""
    folder = files(DATA).joinpath("data", "documents")
    found = {}
    for one in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if one.name.endswith(".toml"):
            found[one.name.removesuffix(".toml")] = one.read_text(encoding="utf-8")
    return found


@transaction.atomic
def load_phases(*, by: Any) -> int:
    """Load the phases; those that are known keep their days. Give how many are new."""
    text = files(DATA).joinpath("data", "phases.toml").read_text(encoding="utf-8")
    made = []
    for row in tomllib.loads(text)["phases"]:
        phase, is_new = Phase.objects.get_or_create(code=row["code"], defaults=row)
        if is_new:
            made.append(phase.code)
    if made:
        record(
            action="plans.phases_loaded", actor=by, obj=Phase.objects.get(code=made[0]), after={"codes": made}
        )
    return len(made)


@transaction.atomic
def load_shipped(*, by: Any) -> Loaded:
    """Load phases and every document that comes with the program; twice is once."""
    load_phases(by=by)
    new, known, without = [], [], []
    for code, text in shipped().items():
        try:
            is_new = load_document(text, by=by)
        except UnknownUnit:
            without.append(code)
            continue
        (new if is_new else known).append(code)
    return Loaded(new=tuple(new), known=tuple(known), without_unit=tuple(without))


class UnknownUnit(PlanRefusal):
    """The province of a document does not stand in the registry of its day."""

    code = "plans.unknown_unit"


@transaction.atomic
def load_document(text: str, *, by: Any) -> bool:
    """Load a document with its sections and targets; tell whether it is new.

    Raises
    ------
    PlanRefusal
        If the file is no document of a plan: what is wrong and where.
    UnknownUnit
        If its province did not stand in the registry on its day.
    NotNow
        If a document of this code was loaded with other words; what was loaded stays.
    """
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    said = _read(text)
    code = said["code"]
    kept = PlanDocument.objects.filter(code=code).first()
    if kept is not None:
        if kept.digest != digest:
            raise NotNow(
                _("A document “%(code)s” with other words is loaded already.") % {"code": code},
                hint=_("A document stays as it was loaded; load the changed one under a new code."),
            )
        return False
    document = PlanDocument.objects.create(
        code=code,
        unit=_unit_of(said),
        digest=digest,
        loaded_at=clock.now(),
        loaded_by=by,
        issued_on=said.get("issued_on"),
        recipients=list(said.get("recipients", ())),
        **{name: str(said.get(name, "")) for name in TEXTS},
    )
    sections = _write_sections(document, said)
    n_targets = _write_targets(document, said, sections)
    after = {"code": code, "hash": digest, "n_sections": len(sections), "n_targets": n_targets}
    record(action="plans.document_loaded", actor=by, obj=document, after=after)
    return True


TEXTS = (
    "source_kind", "source_note", "number", "issuer", "kind_word", "title", "place_and_day", "preamble", "closing",
    "signer_title", "signer",
)  # fmt: skip
NEEDED = ("code", "level", "source_kind", "number", "issuer", "kind_word", "title", "sections")


def _read(text: str) -> dict[str, Any]:
    """Read a file and refuse one that lacks something."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlanRefusal(
            _("The file cannot be read: %(what)s.") % {"what": str(error)},
            hint=_("Correct the line that is named; the form stands in the module's description."),
        ) from error
    missing = [name for name in NEEDED if not said.get(name)]
    if missing:
        raise PlanRefusal(
            _("The document lacks: %(names)s.") % {"names": ", ".join(missing)},
            hint=_("Write them at the top of the file."),
        )
    if said["level"] not in ("nation", "province") or said["source_kind"] not in PlanDocument.Source.values:
        raise PlanRefusal(_("Level or source of the document is unknown."))
    return said


def _unit_of(said: Mapping[str, Any]) -> AdministrativeUnit | None:
    """Give the province that issued a document, as it was on the day of the document."""
    if said["level"] == "nation":
        return None
    day = said.get("issued_on") or UNDATED_DAY
    code = str(said.get("unit_code", ""))
    units = AdministrativeUnit.objects.filter(level="province", code=code, valid_from__lte=day)
    found = units.order_by("-valid_from").first()
    if found is None or (found.valid_to is not None and found.valid_to <= day):
        raise UnknownUnit(
            _("No province had the code %(code)s on %(day)s.") % {"code": code, "day": f"{day:%d/%m/%Y}"},
            hint=_("Load the history of the units first."),
        )
    return found


def _write_sections(document: PlanDocument, said: Mapping[str, Any]) -> dict[str, PlanSection]:
    """Write the sections in order."""
    phases = {one.code: one for one in Phase.objects.all()}
    found: dict[str, PlanSection] = {}
    for position, row in enumerate(said["sections"], start=1):
        path, topic = str(row.get("path", "")), row.get("topic", "")
        if not path or path in found or topic not in PlanSection.Topic.values:
            raise PlanRefusal(
                _("Section %(n)s has no path of its own, or an unknown topic.") % {"n": position},
                hint=_("Each section has a path and a topic of the list."),
            )
        found[path] = PlanSection(
            document=document,
            position=position,
            path=path,
            heading=str(row.get("heading", "")),
            is_heading_ours=bool(row.get("is_heading_ours")),
            topic=topic,
            phase=phases.get(row.get("phase", "")),
            paragraphs=list(row.get("paragraphs", ())),
        )
    PlanSection.objects.bulk_create(found.values())
    return found


def _write_targets(
    document: PlanDocument, said: Mapping[str, Any], sections: Mapping[str, PlanSection]
) -> int:
    """Write the targets, each with the paragraph that it is taken from."""
    phases = {one.code: one for one in Phase.objects.all()}
    rows = said.get("targets", ())
    for number, row in enumerate(rows, start=1):
        section, phase = sections.get(row.get("place", "")), phases.get(row.get("phase", ""))
        paragraph = int(row.get("paragraph", 0))
        if section is None or phase is None or row.get("indicator") not in INDICATORS:
            raise PlanRefusal(
                _("Target %(n)s names an unknown indicator, phase or place.") % {"n": number},
                hint=_("Take them from the lists; the place is the path of a section."),
            )
        if not 1 <= paragraph <= len(section.paragraphs):
            raise PlanRefusal(
                _("Target %(n)s names a paragraph that its section does not have.") % {"n": number}
            )
        share = row.get("share")
        Target.objects.create(
            document=document,
            phase=phase,
            indicator=row["indicator"],
            share=Decimal(str(share)) if share is not None else None,
            place=section.path,
            paragraph=paragraph,
            quote=section.paragraphs[paragraph - 1],
        )
    return len(rows)
