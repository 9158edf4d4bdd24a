"""A study as a file: which files, which options, which decisions; and the run of it into a store."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsakit.errors import CalibrationError, FileFormatError
from lsakit.io.canonical import is_table
from lsakit.lineage import Manifest, Progress, StepRequest, Store, run_step
from lsakit.lineage.hashing import canonical_json
from lsakit.pipeline.scaling.options import ScalingDecision, ScalingOptions
from lsakit.pipeline.scaling.plan import ScalingInputs
from lsakit.pipeline.scaling.run import Clock, ScalingResult, run_scaling
from lsakit.pipeline.scaling.sources import KINDS, ROLES, SOURCES
from lsakit.pipeline.table_files import write_plain_table

SECTIONS = ("title", "files", "options", "decisions")
SETTINGS = ("kind", "student_id", "item_columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    """A study as it was written down.

    Parameters
    ----------
    name : str
        Name of the file without its ending: the study's name in the store.
    title : str
        What the study is.
    files : Mapping of str to Path
        Files by role.
    settings : Mapping of str to object
        How they are read: kind, student_id, item_columns.
    options : ScalingOptions
        What is asked for.
    decisions : tuple of ScalingDecision
        Decisions on items.
    """

    name: str
    title: str
    files: Mapping[str, Path]
    settings: Mapping[str, Any]
    options: ScalingOptions
    decisions: tuple[ScalingDecision, ...]

    @property
    def student_columns(self) -> list[str]:
        """Columns of the students that the options name."""
        own = self.options
        names = [own.group, own.weight, *own.dif_by, *own.conditioning]
        return list(dict.fromkeys(name for name in names if name))


def read_study(path: Path) -> StudyFile:
    """Read a study file.

    Parameters
    ----------
    path : Path
        A TOML file with ``[files]``, ``[options]`` and ``[[decisions]]``; paths are relative to it.

    Returns
    -------
    StudyFile
        The study.

    Raises
    ------
    FileFormatError
        If it is no TOML, a section is unknown, or a file is not there.
    CalibrationError
        If an option or decision is impossible.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileFormatError(
            f"The study {path.name!r} is no TOML file: {error}.",
            hint="See docs/modules/scaling_steps.md for an example.",
            param="study",
        ) from None
    _refuse_strangers(given, SECTIONS, path.name, "section")
    files = dict(given.get("files") or {})
    _refuse_strangers(files, (*ROLES, *SETTINGS), path.name, "entry of [files]")
    found = {role: path.parent / str(files[role]) for role in ROLES if role in files}
    if "responses" not in found:
        raise FileFormatError(
            f"The study {path.name!r} names no file of responses.",
            hint='Write responses = "…" under [files].',
            param="responses",
        )
    for role, file in found.items():
        if not file.is_file():
            raise FileFormatError(
                f"The file {file.name!r} ({role} of the study {path.name!r}) is not there.",
                hint="Paths are relative to the folder of the study file.",
                param=role,
                got=str(file),
            )
    kind = files.get("kind", "raw" if "items" in found else "scored")
    if kind not in KINDS:
        raise FileFormatError(
            f"The entry 'kind' of [files] must be raw or scored. Got {kind!r}.", param="kind", got=kind
        )
    return StudyFile(
        name=path.stem,
        title=str(given.get("title", path.stem)),
        files=found,
        settings={
            "kind": kind,
            "student_id": str(files.get("student_id", "student_id")),
            "item_columns": files.get("item_columns"),
        },
        options=ScalingOptions.from_mapping(given.get("options") or {}),
        decisions=tuple(ScalingDecision.from_mapping(one) for one in given.get("decisions") or ()),
    )


def _refuse_strangers(given: Mapping[str, Any], known: Sequence[str], name: str, what: str) -> None:
    """Refuse unknown names, which are most often misspelled."""
    strange = [one for one in given if one not in known]
    if strange:
        raise FileFormatError(
            f"The study {name!r} has an unknown {what}: {strange[0]!r}.",
            hint=f"Known are: {', '.join(known)}.",
            param=strange[0],
            got=strange[0],
        )


def run_study(
    store: Store, study: StudyFile, *, clock: Clock, who: str, progress: Progress | None = None
) -> tuple[Manifest, ScalingResult]:
    """Keep the files of a study and run its scaling; unchanged stages are reused.

    Parameters
    ----------
    store : Store
        Where everything goes.
    study : StudyFile
        The study.
    clock : callable
        Gives the moment.
    who : str
        Who started it.
    progress : callable, optional
        Takes a text and the share done.

    Returns
    -------
    sources : Manifest
        The run that read the files.
    result : ScalingResult
        The scaling. The store's names ``<study>/<stage>`` point to its manifests.

    Raises
    ------
    LsakitError
        If a file or stage is refused.
    """
    kept = {role: store.put_file(path.read_bytes()).hash for role, path in study.files.items()}
    parameters = {
        **study.settings,
        "names": {role: path.name for role, path in study.files.items()},
        "student_columns": study.student_columns,
    }
    request = StepRequest(inputs=kept, parameters=parameters)
    sources = run_step(store, SOURCES, request, now=clock(), who=who)
    inputs = ScalingInputs(**{role: artefact.hash for role, artefact in sources.outputs.items()})
    result = run_scaling(store, inputs, study.options, study.decisions, now=clock, who=who, progress=progress)
    names = {"sources": sources.id, **result.manifests}
    for stage, manifest in names.items():
        store.set_ref(f"{study.name}/{stage}", manifest)
    for name in store.refs():
        if name.startswith(f"{study.name}/") and name.removeprefix(f"{study.name}/") not in names:
            store.drop_ref(name)
    return sources, result


def write_results(
    store: Store, result: ScalingResult, folder: Path, *, table_format: str, roles: Sequence[str] = ()
) -> list[Path]:
    """Write the tables and records of a scaling as files.

    Parameters
    ----------
    store : Store
        The store.
    result : ScalingResult
        The scaling.
    folder : Path
        Where the files go.
    table_format : str
        Ending of the tables: "csv", "parquet", "xlsx", "sav" or "dta".
    roles : Sequence of str, optional
        Outputs wanted; all by default.

    Returns
    -------
    list of Path
        The files: ``<stage>.<role>.<ending>``, records as JSON.

    Raises
    ------
    CalibrationError
        If no stage has a wanted output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {
        (stage, role): artefact
        for stage, manifest in result.manifests.items()
        for role, artefact in store.manifest(manifest).outputs.items()
    }
    known = {role for _, role in outputs}
    strange = [role for role in roles if role not in known]
    if strange:
        raise CalibrationError(
            f"The scaling gives no {strange[0]!r}.",
            hint=f"It gives: {', '.join(sorted(known))}.",
            param="roles",
            got=strange[0],
        )
    written = []
    for (stage, role), artefact in outputs.items():
        if roles and role not in roles:
            continue
        value = store.load(artefact.hash)
        ending = table_format if is_table(value) else "json"
        path = folder / f"{stage}.{role}.{ending}"
        if is_table(value):
            write_plain_table(value, path)
        else:
            path.write_text(canonical_json(value) + "\n", encoding="utf-8")
        written.append(path)
    return written
