"""Releases through lsakit, as plain values; no ORM here, so that builds can leave the web process."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lsakit.errors import LsakitError
from lsakit.io.codebook import Codebook
from lsakit.lineage import Store, hash_parameters
from lsakit.release.build import RunTables, build_microdata
from lsakit.release.description import Description
from lsakit.release.microdata import MicroData
from lsakit.release.package import FORMATS, STEMS, ReleasedFile, write_archive, write_release
from lsakit.release.plan import DisclosurePlan
from lsakit.release.protection import Protected, protect
from lsakit.release.pseudonyms import with_pseudonyms
from lsakit.release.published import published_table
from lsakit.release.risk import linkage

__all__ = ["FORMATS", "STEMS", "Description"]
Progress = Callable[[str, float], None]
# role of a frozen table → (stage of the run, role of its output)
ROLES: Mapping[str, tuple[str, str]] = {
    "plausible_values": ("values", "plausible_values"),
    "weights": ("weights", "weights"),
    "replicates": ("weights", "replicates"),
    "schools": ("weights", "weighted_schools"),
    "background": ("administration", "background"),
    "enrolments": ("administration", "schools"),
    "responses": ("administration", "raw_responses"),
    "items": ("nation", "items"),
    "frame": ("frame", "frame"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenTables:
    """What a freeze holds: hash by role, the hash of all, and how many people."""

    hashes: tuple[tuple[str, str], ...]
    content_hash: str
    n_students: int
    n_schools: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """What a build is asked for."""

    store_path: Path
    hashes: tuple[tuple[str, str], ...]
    grade: int
    provinces: tuple[tuple[str, str], ...]
    plan_text: str
    seed: int
    key: bytes
    purpose: str
    formats: tuple[str, ...]
    with_responses: bool
    description: Description


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build left: files, archive, log of swaps; or the refusal in words."""

    files: tuple[tuple[str, int, str], ...] = ()
    archive: tuple[str, int, str] = ("", 0, "")
    swaps_csv: bytes = b""
    refusal: str = ""


def read_frozen(store_path: Path, manifests: Mapping[str, str]) -> FrozenTables:
    """Name the tables of one grade of a run by their hashes; each is read, so that a changed one is refused.

    Raises
    ------
    LsakitError
        If a table is gone or was changed.
    """
    store = Store(store_path, create=False)
    hashes = {
        role: store.manifest(manifests[stage]).outputs[output].hash
        for role, (stage, output) in ROLES.items()
        if stage in manifests
    }
    tables = {role: store.table(value) for role, value in hashes.items()}
    weights = tables["weights"]
    return FrozenTables(
        hashes=tuple(sorted(hashes.items())),
        content_hash=hash_parameters(dict(sorted(hashes.items()))),
        n_students=weights.height,
        n_schools=weights.get_column("school_id").n_unique(),
    )


def freeze_or_refusal(store_path: Path, manifests: Mapping[str, str]) -> FrozenTables | str:
    """Name the tables of a run, or say why that cannot be done."""
    try:
        return read_frozen(store_path, manifests)
    except LsakitError as refusal:
        return refusal.sentence


def shipped_plan(kind: str) -> str:
    """Give the text of the plan that comes with lsakit."""
    return files("lsakit.release").joinpath("plans", f"{kind}.toml").read_text(encoding="utf-8")


def plan_refusal(text: str, kind: str) -> str:
    """Say why a plan cannot be used; empty where it can."""
    try:
        plan = DisclosurePlan.parse(text)
    except (LsakitError, TypeError, ValueError) as refusal:
        return getattr(refusal, "sentence", str(refusal))
    return "" if plan.kind == kind else f"{plan.kind} ≠ {kind}"


def build(order: BuildOrder, folder: Path, archive: Path, *, progress: Progress) -> Built:
    """Build the files of a release; a refusal of lsakit is given in words, and nothing is left as if it were whole."""
    try:
        return _build(order, folder, archive, progress)
    except LsakitError as refusal:
        return Built(refusal=refusal.sentence)


def _build(order: BuildOrder, folder: Path, archive: Path, progress: Progress) -> Built:
    """Build: read, protect, rename, write, pack."""
    progress("read", 0.02)
    store = Store(order.store_path, create=False)
    tables = {role: store.table(value) for role, value in order.hashes}
    frame = tables.pop("frame", None)
    if not order.with_responses:
        tables.pop("responses", None)
    data = build_microdata(RunTables(grade=order.grade, provinces=dict(order.provinces), **tables))
    plan = DisclosurePlan.parse(order.plan_text)
    made = protect(
        data, plan, seed=order.seed, progress=lambda _word, share: progress("protect", 0.08 + 0.12 * share)
    )
    progress("table", 0.22)
    report_table = published_table(data)
    released = with_pseudonyms(made.data, key=order.key, purpose=order.purpose)
    found = write_release(
        folder, released, order.description, protected=made, report_table=report_table, formats=order.formats,
        progress=lambda _word, share: progress("write", 0.3 + 0.5 * share),
    )  # fmt: skip
    _write_linkage(folder.parent / "linkage.json", made, frame, data)
    progress("archive", 0.85)
    packed = write_archive(folder, archive)
    return Built(
        files=tuple(_plain(one) for one in found),
        archive=_plain(packed),
        swaps_csv=made.swaps.write_csv().encode(),
    )


def _plain(one: ReleasedFile) -> tuple[str, int, str]:
    """Give a file as plain values."""
    return one.name, one.n_bytes, one.sha256


def _write_linkage(path: Path, made: Protected, frame: Any, data: MicroData) -> None:
    """Count the schools that the published list of all schools names, before and after; for custodians alone."""
    after = made.data.tables["school"]
    if frame is None or "PROVINCE" not in after.columns:
        return
    import polars as pl

    before = data.tables["school"].select("PROVINCE", "ENROLMENT")
    listed = frame.select(
        pl.col("province_code").cast(pl.Int64).alias("PROVINCE"), pl.col("enrolment").alias("ENROLMENT")
    )
    n_before, _found = linkage(before, listed, ["PROVINCE", "ENROLMENT"])
    counted = {"n_schools": after.height, "n_named_before": n_before, "n_named_after": n_before}
    band = next((step for step in made.plan.steps if step.kind == "band"), None)
    if band is not None and band.settings["into"] in after.columns:
        into = str(band.settings["into"])
        classes = pl.sum_horizontal(
            (pl.col("ENROLMENT") >= cut).cast(pl.Int64) for cut in band.settings["cuts"]
        )
        sized = listed.with_columns((classes + 1).alias(into))
        counted["n_named_after"] = linkage(after, sized, ["PROVINCE", into])[0]
    path.write_text(json.dumps(counted), encoding="utf-8")


def personal_copy(folder: Path, target: Path, *, name: str, paper: str) -> tuple[str, int, str]:
    """Pack a copy for one person: the released files unchanged, and a paper that says whose copy it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return _plain(write_archive(folder, target, extra=[(name, paper.encode())]))


def file_hash(path: Path) -> str:
    """Give the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableCard:
    """A variable as the codebook page shows it."""

    file: str
    name: str
    label_vi: str
    label_en: str
    type: str
    width: int | None
    decimals: int | None
    values: tuple[tuple[str, str, str], ...]
    valid_range: tuple[float, float] | None
    derivation: str
    disclosure: str


@lru_cache(maxsize=16)
def codebook_cards(folder: Path, names: Sequence[str]) -> tuple[VariableCard, ...]:
    """Read the codebooks of a release."""
    cards = []
    for stem in names:
        book = Codebook.from_json((folder / f"{stem}.codebook.json").read_text(encoding="utf-8"))
        for one in book:
            values = tuple(
                (str(code), label, one.missing.get(code, "")) for code, label in one.values.items()
            )
            cards.append(
                VariableCard(
                    file=stem, name=one.name, label_vi=one.label, label_en=one.label_en, type=one.type, width=one.width,
                    decimals=one.decimals, values=values, valid_range=one.valid_range, derivation=one.derivation,
                    disclosure=one.disclosure,
                )
            )  # fmt: skip
    return tuple(cards)


def record_of(folder: Path) -> dict[str, Any]:
    """Read the record of the disclosure control of a release, and what the published list of schools tells."""
    record: dict[str, Any] = json.loads((folder / "disclosure.json").read_text(encoding="utf-8"))
    linked = folder.parent / "linkage.json"
    record["linkage"] = json.loads(linked.read_text(encoding="utf-8")) if linked.exists() else None
    return record


def table_of(folder: Path, language: str) -> list[dict[str, Any]]:
    """Read the table that a release proves, with its differences from the report and its words in one language."""
    import polars as pl

    keep = ("by", "group", "values")
    rows = pl.read_csv(folder / "differences.csv", schema_overrides=dict.fromkeys(keep, pl.String)).to_dicts()
    cards = {card.name: card for card in codebook_cards(folder, ("STU_QQQ",))}
    for row in rows:
        card = cards.get(row["by"] or "")
        values = {code: label for code, label, _kind in card.values} if card else {}
        row["by_words"] = (card.label_en if language == "en" else card.label_vi) if card else ""
        row["group_words"] = _one_language(values.get(row["group"] or "", ""), language)
        first = cards.get(row["values"].replace("{m}", "1"))
        label = (first.label_en if language == "en" else first.label_vi) if first else row["values"]
        row["values_words"] = label.partition(": ")[2] or row["values"]
    return rows


def _one_language(label: str, language: str) -> str:
    """Take one language of a label that stands in both."""
    vi, mark, en = label.partition(" | ")
    return en if mark and language == "en" else vi


def citation(description: Description, language: str) -> str:
    """Say how a release is cited."""
    return description.citation(language)


def changed_description(description: Description, **changes: Any) -> Description:
    """Give a description with changes."""
    return dataclasses.replace(description, **changes)
