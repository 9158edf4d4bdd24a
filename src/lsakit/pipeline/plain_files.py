"""Run steps over plain files, each with a manifest beside it, and walk back along these manifests."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lsakit.errors import FileFormatError, LineageError
from lsakit.io.canonical import is_table, table_digest
from lsakit.lineage import (
    Artefact,
    Manifest,
    Progress,
    Step,
    StepCall,
    StepRequest,
    hash_bytes,
    hash_parameters,
)
from lsakit.lineage.files import write_atomic
from lsakit.lineage.hashing import canonical_json, plain, revive
from lsakit.lineage.manifests import manifest_content, parse_manifest, software_versions
from lsakit.lineage.rerun import RerunReport, recompute
from lsakit.lineage.steps import _silent, call_step, step_key
from lsakit.pipeline.table_files import read_plain_table, write_plain_table

SUFFIX = ".manifest.json"
# Registers and tracking forms both speak of schools; beside each other their files need two names.
FILE_NAMES = {
    ("administration", "schools"): "school_participation",
    ("administration", "students"): "student_participation",
}
TABLE_FORMATS = ("csv", "parquet", "xlsx", "sav", "dta")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainManifest:
    """A manifest beside a file, which also says where inputs and outputs lie.

    Parameters
    ----------
    manifest : Manifest
        The manifest.
    folder : Path
        Folder of the manifest; the paths are relative to it.
    inputs, outputs : Mapping of str to str
        Relative path of each file by role, with forward slashes.
    """

    manifest: Manifest
    folder: Path
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]

    def input_path(self, role: str) -> Path:
        """Give the place of an input.

        Parameters
        ----------
        role : str
            Role.

        Returns
        -------
        Path
            The file.
        """
        return self.folder / self.inputs[role]

    def output_path(self, role: str) -> Path:
        """Give the place of an output.

        Parameters
        ----------
        role : str
            Role.

        Returns
        -------
        Path
            The file.
        """
        return self.folder / self.outputs[role]


def manifest_path(path: Path) -> Path:
    """Give the place of the manifest of a file.

    Parameters
    ----------
    path : Path
        A file that a step wrote, or its manifest.

    Returns
    -------
    Path
        The manifest.
    """
    return path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)


def read_plain_manifest(path: Path) -> PlainManifest:
    """Read the manifest of a file and check that it is as it was written.

    Parameters
    ----------
    path : Path
        A file that a step wrote, or its manifest.

    Returns
    -------
    PlainManifest
        The manifest.

    Raises
    ------
    LineageError
        If there is none, or it was edited.
    """
    where = manifest_path(path)
    try:
        content = where.read_bytes()
    except FileNotFoundError:
        raise LineageError(
            f"The file {path.name!r} has no manifest beside it ({where.name}).",
            why="Without it nothing is known of how the file was made.",
            hint="Keep each manifest in the folder of its file.",
            param="path",
            got=str(path),
        ) from None
    manifest = parse_manifest(content, name=where.name)
    data = json.loads(content)
    files, own = data.pop("files", None), data.pop("id", None)
    data.pop("schema")
    if files is None or own != _own_id(data, files):
        raise LineageError(
            f"The manifest {where.name} was changed after it was written.",
            why="Its content no longer has the hash that it states.",
            hint="Restore it from a copy, or run the command again.",
            param="manifest",
            got=where.name,
        )
    fields = {name: getattr(manifest, name) for name in Manifest.__slots__ if name != "id"}
    return PlainManifest(
        manifest=Manifest(id=own, **fields),
        folder=where.parent,
        inputs=files["inputs"],
        outputs=files["outputs"],
    )


def _own_id(fields: Mapping[str, Any], files: Mapping[str, Any]) -> str:
    """Hash what a manifest beside a file says."""
    return hash_bytes(manifest_content({**fields, "files": files})).rpartition(":")[2]


def read_value(path: Path) -> Any:
    """Read a file as what a step takes: a table, parameters or bytes.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    polars.DataFrame or object or bytes
        A table for .csv, .xlsx, .parquet, .sav and .dta; parameters for .json; bytes for anything else.

    Raises
    ------
    FileFormatError
        If the file is absent or cannot be read.
    """
    if not path.is_file():
        raise FileFormatError(
            f"There is no file {str(path)!r}.", hint="Check the name and the folder.", param="path"
        )
    suffix = path.suffix.lower().lstrip(".")
    if suffix == "json":
        try:
            return revive(json.loads(path.read_bytes()))
        except ValueError as error:
            raise FileFormatError(f"The file {path.name!r} is not JSON ({error}).", param="path") from error
    if suffix in ("pdf", "bin") or (suffix == "xlsx" and _is_report(path)):
        return path.read_bytes()
    return read_plain_table(path)


def _is_report(path: Path) -> bool:
    """Say whether a workbook is a printed report, which is kept by its bytes."""
    return path.stem.endswith("_xlsx")


def value_hash(value: Any) -> str:
    """Hash a value of any kind.

    Parameters
    ----------
    value : object
        Table, bytes or parameters.

    Returns
    -------
    str
        Its hash.
    """
    if isinstance(value, bytes):
        return hash_bytes(value)
    return table_digest(value).hash if is_table(value) else hash_parameters(value)


def write_value(value: Any, path: Path) -> None:
    """Write a value as a file, whole or not at all.

    Parameters
    ----------
    value : object
        Table, bytes or parameters.
    path : Path
        The file; its suffix says the form of a table.
    """
    if isinstance(value, bytes):
        write_atomic(path, value)
    elif is_table(value):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_plain_table(value, path)
    else:
        text = json.dumps(plain(value), ensure_ascii=False, indent=1, sort_keys=True)
        write_atomic(path, (text + "\n").encode())


def file_name(step: str, role: str, value: Any, table_format: str) -> str:
    """Name the file of an output.

    Parameters
    ----------
    step : str
        Name of the step.
    role : str
        Role of the output.
    value : object
        Table, bytes or parameters.
    table_format : str
        Form of tables.

    Returns
    -------
    str
        ``<role>.csv`` and the like; reports keep their role as name and end in .pdf or .xlsx.
    """
    role = FILE_NAMES.get((step, role), role)
    if isinstance(value, bytes):
        return f"{role}.{'pdf' if role.endswith('_pdf') else 'xlsx' if role.endswith('_xlsx') else 'bin'}"
    return f"{role}.{table_format if is_table(value) else 'json'}"


def as_read_back(value: Any, suffix: str) -> Any:
    """Give a value as it will be read from a file of this form.

    Parameters
    ----------
    value : object
        Table, bytes or parameters.
    suffix : str
        Form of the file, with its dot.

    Returns
    -------
    object
        The value after writing and reading; forms such as CSV do not keep every kind of column.
    """
    if not is_table(value):
        return value if isinstance(value, bytes) else revive(json.loads(canonical_json(value)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        write_value(value, path)
        return read_value(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRun:
    """What a step over plain files is asked for.

    Parameters
    ----------
    inputs : Mapping of str to Path
        File of each input by role.
    parameters : Mapping of str to object
        Parameters.
    seed : int or None
        Seed.
    folder : Path
        Where the outputs go.
    table_format : str
        Form of tables: ``"csv"``, ``"parquet"``, ``"xlsx"``, ``"sav"`` or ``"dta"``.
    """

    inputs: Mapping[str, Path]
    parameters: Mapping[str, Any]
    seed: int | None
    folder: Path
    table_format: str = "csv"


def run_plain(
    step: Step, run: PlainRun, *, now: datetime, who: str, progress: Progress | None = None
) -> dict[str, Path]:
    """Run a step over plain files; files and manifests appear only when everything succeeded.

    Parameters
    ----------
    step : Step
        The step.
    run : PlainRun
        Inputs, parameters, seed and where outputs go.
    now : datetime
        Moment of the run.
    who : str
        Who started it.
    progress : callable, optional
        Takes a text and a share.

    Returns
    -------
    dict of str to Path
        File of each output by role.

    Raises
    ------
    LsakitError
        If an input cannot be read or the step refuses.
    """
    report = progress or _silent
    values = {}
    for role, path in run.inputs.items():
        report(f"reading {path.name}", 0.0)
        values[role] = read_value(path)
    report(step.title, 0.0)
    call = StepCall(inputs=values, parameters=run.parameters, seed=run.seed, progress=report)
    outputs = call_step(step, call)
    hashes = {role: value_hash(value) for role, value in values.items()}
    paths = {
        role: run.folder / file_name(step.name, role, value, run.table_format)
        for role, value in outputs.items()
    }
    _refuse_overwriting(step.name, run.inputs, paths)
    report("writing", 0.95)
    with tempfile.TemporaryDirectory(prefix=".lsa-", dir=_made(run.folder)) as drafts:
        records, ready = {}, {}
        for role, value in outputs.items():
            ready[role] = Path(drafts) / paths[role].name
            write_value(value, ready[role])
            records[role] = _record(read_value(ready[role]), ready[role].read_bytes())
        content = _manifest_bytes(step, run, (hashes, records, paths), now=now, who=who)
        for role, draft in ready.items():
            os.replace(draft, paths[role])
            write_atomic(manifest_path(paths[role]), content)
    report("done", 1.0)
    return paths


def _made(folder: Path) -> Path:
    """Make a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _refuse_overwriting(step: str, inputs: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Refuse outputs that would take the place of inputs, or of what another step wrote."""
    taken = {path.resolve() for path in inputs.values()}
    for role, path in outputs.items():
        beside = manifest_path(path)
        other = read_plain_manifest(beside).manifest.step if beside.is_file() else step
        if path.resolve() not in taken and other == step:
            continue
        what = f"the input {path.name!r}" if other == step else f"{path.name!r}, which step {other!r} wrote"
        raise LineageError(
            f"The output {role!r} of step {step!r} would overwrite {what}.",
            why="A file that is gone can no longer be traced.",
            hint="Choose another folder with --out.",
            param="out",
            got=str(path),
        )


def _record(value: Any, content: bytes) -> Artefact:
    """Record an output as it is read from its file."""
    digest = table_digest(value) if is_table(value) else None
    return Artefact(
        hash=value_hash(value),
        kind="table" if digest else "file" if isinstance(value, bytes) else "parameters",
        file_digest=hash_bytes(content),
        n_bytes=len(content),
        n_rows=digest.n_rows if digest else None,
        columns=digest.columns if digest else (),
        column_digests=digest.column_digests if digest else (),
    )


def _manifest_bytes(
    step: Step,
    run: PlainRun,
    made: tuple[Mapping[str, str], Mapping[str, Artefact], Mapping[str, Path]],
    *,
    now: datetime,
    who: str,
) -> bytes:
    """Write the manifest that stands beside each output."""
    hashes, records, paths = made
    request = StepRequest(inputs=hashes, parameters=run.parameters, seed=run.seed)
    fields = {
        "step": step.name,
        "step_version": step.version,
        "key": step_key(step, request),
        "inputs": dict(hashes),
        "parameters": plain(run.parameters),
        "seed": run.seed,
        "software": software_versions(),
        "outputs": plain(dict(records)),
        "created_at": now.isoformat(timespec="seconds"),
        "who": who,
    }
    files = {
        "inputs": {role: _relative(path, run.folder) for role, path in run.inputs.items()},
        "outputs": {role: path.name for role, path in paths.items()},
    }
    return manifest_content({**fields, "files": files, "id": _own_id(fields, files)})


def _relative(path: Path, folder: Path) -> str:
    """Write a path relative to a folder, with forward slashes."""
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def rerun_plain(path: Path, *, steps: Mapping[str, Step], progress: Progress | None = None) -> RerunReport:
    """Recompute the files of a manifest and compare; nothing is written beside them.

    Parameters
    ----------
    path : Path
        A file that a step wrote, or its manifest.
    steps : Mapping of str to Step
        Known steps by name.
    progress : callable, optional
        Takes a text and a share.

    Returns
    -------
    RerunReport
        Identical; or equal to 1e-12 and where; or what differs.

    Raises
    ------
    LineageError
        If an input or output is missing or is not the recorded one.
    """
    found = read_plain_manifest(path)
    inputs = {role: _checked(found, role, found.input_path(role)) for role in found.manifest.inputs}
    kept = {role: _checked(found, role, found.output_path(role)) for role in found.manifest.outputs}
    suffixes = {role: Path(name).suffix for role, name in found.outputs.items()}

    def run_as_read(call: StepCall) -> dict[str, Any]:
        made = steps[found.manifest.step].run(call)
        return {role: as_read_back(value, suffixes.get(role, ".csv")) for role, value in made.items()}

    own = steps.get(found.manifest.step)
    known = {own.name: _with_run(own, run_as_read)} if own is not None else {}
    return recompute(found.manifest, inputs, kept, steps=known, progress=progress)


def _with_run(step: Step, run: Any) -> Step:
    """Give the same step with another function."""
    names = ("name", "version", "title", "inputs", "optional_inputs", "outputs")
    return Step(run=run, **{name: getattr(step, name) for name in names})


def _checked(found: PlainManifest, role: str, path: Path) -> Any:
    """Read a file of a manifest, refusing one that is missing or holds other values."""
    manifest = found.manifest
    is_output = role in found.outputs and path == found.output_path(role)
    wanted = manifest.outputs[role].hash if is_output else manifest.inputs[role]
    kind = "output" if is_output else "input"
    if not path.is_file():
        raise _missing(path, kind, role, manifest.step)
    if is_output and hash_bytes(path.read_bytes()) != manifest.outputs[role].file_digest:
        raise _other_values(path, kind, role, manifest.step)
    value = read_value(path)
    if value_hash(value) != wanted:
        raise _other_values(path, kind, role, manifest.step)
    return value


def _missing(path: Path, kind: str, role: str, step: str) -> LineageError:
    """Say that a file is gone."""
    return LineageError(
        f"The {kind} {role!r} of step {step!r}, {path.name}, is missing.",
        hint="Restore it from a copy, or run the command that made it again.",
        param=role,
        got=str(path),
    )


def _other_values(path: Path, kind: str, role: str, step: str) -> LineageError:
    """Say that a file is not the recorded one."""
    return LineageError(
        f"The file {path.name} ({kind} {role!r} of step {step!r}) was changed after the step was run.",
        why="A number that rests on it could no longer be traced.",
        hint="Restore it from a copy, or run the command that made it again.",
        param=role,
        got=str(path),
    )


def verify_plain(paths: Sequence[Path]) -> list[str]:
    """Check manifests beside files, their outputs and their inputs.

    Parameters
    ----------
    paths : Sequence of Path
        Files that steps wrote, or their manifests.

    Returns
    -------
    list of str
        One sentence per finding; empty when all is as it was.
    """
    findings: dict[str, None] = {}
    done: set[str] = set()
    for path in paths:
        try:
            found = read_plain_manifest(path)
        except LineageError as error:
            findings[error.what] = None
            continue
        key = f"{found.folder.resolve()} {found.manifest.id}"
        if key not in done:  # each output of a step has the same manifest beside it
            done.add(key)
            findings |= dict.fromkeys(_problems(found))
    return list(findings)


def _problems(found: PlainManifest) -> list[str]:
    """Say which files of one manifest are missing or not the recorded ones."""
    problems = []
    for role, artefact in found.manifest.outputs.items():
        path = found.output_path(role)
        if not path.is_file():
            problems.append(_missing(path, "output", role, found.manifest.step).what)
        elif hash_bytes(path.read_bytes()) != artefact.file_digest:
            problems.append(_other_values(path, "output", role, found.manifest.step).what)
    for role, wanted in found.manifest.inputs.items():
        path = found.input_path(role)
        try:
            if not path.is_file():
                problems.append(_missing(path, "input", role, found.manifest.step).what)
            elif _hash_of_file(path) != wanted:
                problems.append(_other_values(path, "input", role, found.manifest.step).what)
        except FileFormatError as error:
            problems.append(
                f"The file {path.name} (step {found.manifest.step!r}) cannot be read: {error.what}"
            )
    return problems


def _hash_of_file(path: Path) -> str:
    """Hash the values of a file: as its manifest records them when its bytes are still those, else by reading."""
    if manifest_path(path).is_file():
        digest = hash_bytes(path.read_bytes())
        try:
            beside = read_plain_manifest(path)
        except LineageError:  # reported where that manifest itself is checked
            return value_hash(read_value(path))
        for role, artefact in beside.manifest.outputs.items():
            if beside.outputs[role] == path.name and artefact.file_digest == digest:
                return artefact.hash
    return value_hash(read_value(path))
