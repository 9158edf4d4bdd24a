"""Runs of lsakit's pipeline and reads of its store, as plain values; no ORM here, so runs can leave the web."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from lsakit import __version__
from lsakit.errors import LsakitError
from lsakit.lineage import Manifest, Store, hash_parameters


def _source_digest() -> str:
    """Hash the sources of the statistics, so that changed code is never taken for the same software."""
    folder = files("lsakit")
    digest = hashlib.sha256()
    with as_file(folder) as root:
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


SOFTWARE_VERSION = f"lsakit {__version__} ({_source_digest()})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What a run is asked to do; the grades come from the cycle."""

    size: str
    seed: int
    grades: tuple[int, ...]
    n_schools_per_province: int | None = None
    n_students: int | None = None
    suppression_rules: str = "national"

    @property
    def fingerprint(self) -> str:
        """Hash of everything that was asked: two runs with the same one are the same run."""
        return hash_parameters(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One artefact of a manifest."""

    role: str
    kind: str
    hash: str
    n_rows: int | None
    n_columns: int
    n_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What one stage of one grade left."""

    stage: str
    grade: int | None
    manifest_id: str
    step: str
    version: str
    is_reused: bool
    seconds: float
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended: ``stages`` when it is done, ``refusal`` when lsakit refused."""

    stages: tuple[StageResult, ...] = ()
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How the caller reads time and hears of progress."""

    now: Callable[[], datetime]
    seconds: Callable[[], float]
    progress: Callable[[str, float], None]


def run_cycle(store_path: Path, request: RunRequest, *, who: str, watch: Watch) -> RunOutcome:
    """Run a whole cycle over a store; stages that the store already holds are reused.

    Parameters
    ----------
    store_path : Path
        Folder of the cycle's store.
    request : RunRequest
        What to run.
    who : str
        Who asked, as manifests record it.
    watch : Watch
        Clocks, and a callback that takes a text and a share between 0 and 1; what it raises ends the run.

    Returns
    -------
    RunOutcome
        Stages in the order in which they are made, or the refusal in words.
    """
    from lsakit.pipeline.cycle import run_cycle as run

    spans: dict[str, tuple[float, float]] = {}

    def report(text: str, share: float) -> None:
        moment = watch.seconds()
        place = text.partition(" · ")[0]
        spans[place] = (spans.get(place, (moment, moment))[0], moment)
        watch.progress(text, share)

    store = Store(store_path)
    try:
        result = run(store, _options(request), now=watch.now, who=who, progress=report)
    except LsakitError as refusal:
        return RunOutcome(refusal=refusal.sentence)
    return RunOutcome(
        stages=tuple(
            _stage(store.manifest(manifest_id), place, place not in result.computed, spans)
            for place, manifest_id in result.manifests.items()
        )
    )


def _options(request: RunRequest) -> Any:
    """Translate a request into the pipeline's options; what was not asked keeps the pipeline's default."""
    from lsakit.pipeline.options import CycleOptions
    from lsakit.tables.suppression_rules import rules_named

    rules = rules_named(request.suppression_rules)
    asked = {"n_schools_per_province": request.n_schools_per_province, "n_students": request.n_students}
    given = {name: value for name, value in asked.items() if value is not None}
    return CycleOptions(
        size=request.size,
        seed=request.seed,
        grades=request.grades,
        suppression_rules=rules.name,
        minimum_students=rules.minimum_units,
        minimum_schools=max(rules.minimum_schools, 1),
        **given,
    )


def _stage(
    manifest: Manifest, place: tuple[str, int | None], is_reused: bool, spans: dict[str, tuple[float, float]]
) -> StageResult:
    """Describe one stage by its manifest."""
    from lsakit.pipeline.plan import ref_name

    started, ended = spans.get(ref_name(place), (0.0, 0.0))
    return StageResult(
        stage=place[0],
        grade=place[1],
        manifest_id=manifest.id,
        step=manifest.step,
        version=str(manifest.step_version),
        is_reused=is_reused,
        seconds=ended - started,
        outputs=_outputs(manifest),
    )


def _outputs(manifest: Manifest) -> tuple[Output, ...]:
    """List what came out of a manifest, by role."""
    return tuple(
        Output(
            role=role,
            kind=artefact.kind,
            hash=artefact.hash,
            n_rows=artefact.n_rows,
            n_columns=len(artefact.columns),
            n_bytes=artefact.n_bytes,
        )
        for role, artefact in sorted(manifest.outputs.items())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestCard:
    """A manifest as a page shows it."""

    id: str
    step: str
    version: str
    inputs: tuple[tuple[str, str, str], ...]
    parameters: tuple[tuple[str, str], ...]
    seed: int | None
    software: tuple[tuple[str, str], ...]
    outputs: tuple[Output, ...]
    created_at: datetime
    who: str


def manifest_card(store_path: Path, manifest_id: str) -> ManifestCard | None:
    """Read a manifest; each input comes with its role, its hash and the manifest that made it ("" if none)."""
    try:
        store = Store(store_path, create=False)
        manifest = store.manifest(manifest_id)
    except LsakitError:
        return None
    makers = {artefact.hash: other.id for other in store.manifests() for artefact in other.outputs.values()}
    return ManifestCard(
        id=manifest.id,
        step=manifest.step,
        version=str(manifest.step_version),
        inputs=tuple((role, value, makers.get(value, "")) for role, value in sorted(manifest.inputs.items())),
        parameters=tuple((name, _words(value)) for name, value in sorted(manifest.parameters.items())),
        seed=manifest.seed,
        software=tuple(sorted(manifest.software.items())),
        outputs=_outputs(manifest),
        created_at=datetime.fromisoformat(manifest.created_at),
        who=manifest.who,
    )


def _words(value: Any) -> str:
    """Write a parameter for a reader: short, one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_words(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(part) for part in value)
    return "–" if value is None else str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The first rows of a stored table, or the text of stored parameters."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    n_rows: int = 0
    n_columns: int = 0
    text: str = ""
    refusal: str = ""


def excerpt(store_path: Path, output: Output, *, n_rows: int = 8, n_columns: int = 10) -> Excerpt:
    """Read the start of an artefact; a changed file is refused in words instead of shown."""
    from lsakit.lineage import canonical_json

    store = Store(store_path, create=False)
    try:
        if output.kind == "parameters":
            return Excerpt(text=canonical_json(store.parameters(output.hash))[:4000])
        if output.kind != "table":
            return Excerpt()
        table = store.table(output.hash)
    except LsakitError as refusal:
        return Excerpt(refusal=refusal.sentence)
    shown = table.select(table.columns[:n_columns]).head(n_rows)
    return Excerpt(
        columns=tuple(shown.columns),
        rows=tuple(tuple(cell_text(cell) for cell in row) for row in shown.iter_rows()),
        n_rows=table.height,
        n_columns=table.width,
    )


def cell_text(cell: Any) -> str:
    """Write a cell as it stands in the table: full identifiers, six significant digits, null as a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return str(cell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The state of one file of a manifest: whole, changed or missing."""

    role: str
    hash: str
    state: str


def verify_manifest(store_path: Path, manifest_id: str) -> tuple[Check, ...]:
    """Check every artefact that a manifest gave against its hash, byte for byte."""
    store = Store(store_path, create=False)
    manifest = store.manifest(manifest_id)
    return tuple(
        Check(role=role, hash=artefact.hash, state=store.state(artefact))
        for role, artefact in sorted(manifest.outputs.items())
    )


def are_whole(store_path: Path, manifest_ids: Sequence[str]) -> bool:
    """Tell whether a store holds all these manifests with every artefact as it was written."""
    try:
        store = Store(store_path, create=False)
        return all(
            store.state(artefact) == "whole"
            for manifest_id in manifest_ids
            for artefact in store.manifest(manifest_id).outputs.values()
        )
    except LsakitError:
        return False


def refusal_of(request: RunRequest) -> str:
    """Say why the pipeline would refuse these options; empty where it would not."""
    try:
        _options(request)
    except LsakitError as refusal:
        return refusal.sentence
    return ""


@lru_cache(maxsize=4)
def default_numbers(size: str) -> dict[str, int]:
    """Give the pipeline's defaults for what a form asks, for a nation of this size."""
    from lsakit.pipeline.options import CycleOptions

    options = CycleOptions(size=size)
    return {"n_schools_per_province": options.schools_per_province, "n_students": options.n_students}
