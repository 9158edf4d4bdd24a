"""Check every byte of a store, and name what is not as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lsakit.errors import LineageError
from lsakit.lineage.damage import table_held_by
from lsakit.lineage.files import is_whole, key_path, read_artefact
from lsakit.lineage.hashing import hash_bytes
from lsakit.lineage.manifests import EXTENSIONS, Artefact, Manifest, parse_manifest
from lsakit.lineage.store import MARK, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One file that is not as it was written.

    Parameters
    ----------
    file : str
        Path inside the store, with forward slashes.
    problem : str
        ``"changed"``, ``"missing"`` or ``"stray"`` (a file that does not belong there).
    what : str
        What the file is: ``"artefact"``, ``"manifest"``, ``"name"``, ``"key"`` or ``"mark"``.
    step : str
        Step that wrote it; empty when that is not known.
    role : str
        Role of an artefact among the outputs of its step, or the name that pointed to a manifest.
    sentence : str
        The finding in words.
    """

    file: str
    problem: str
    what: str
    step: str = ""
    role: str = ""
    sentence: str = ""


def verify_store(store: Store) -> list[Finding]:
    """Check every artefact, manifest, name and key of a store.

    Parameters
    ----------
    store : Store
        The store.

    Returns
    -------
    list of Finding
        One per file that is changed, missing or stray; empty when all is whole.
    """
    manifests, findings = _read_manifests(store)
    records = _records(manifests)
    findings += _check_mark(store)
    findings += [finding for record in records.values() for finding in _check_artefact(store, *record)]
    findings += _check_unrecorded(store, records)
    findings += _check_inputs(store, manifests, records)
    findings += _check_pointers(store, manifests, findings)
    return sorted(findings, key=lambda finding: (finding.what, finding.file))


def _read_manifests(store: Store) -> tuple[dict[str, Manifest], list[Finding]]:
    """Read the manifests that are whole, and find those that are not."""
    whole: dict[str, Manifest] = {}
    findings = []
    names = {manifest_id: name for name, manifest_id in store.refs().items()}
    steps = _steps_by_manifest(store)
    for path in store.files("manifests"):
        content = path.read_bytes()
        file = f"manifests/{path.name}"
        if path.suffix == ".json" and hash_bytes(content).rpartition(":")[2] == path.stem:
            whole[path.stem] = parse_manifest(content, name=file)
            continue
        step = steps.get(path.stem, "") or _claimed_step(content)
        name = names.get(path.stem, "")
        sentence = (
            f"The manifest {file}{_of(step, name)} was changed after it was written: its content no longer "
            "has the hash that it is named by."
        )
        findings.append(
            Finding(file=file, problem="changed", what="manifest", step=step, role=name, sentence=sentence)
        )
    return whole, findings


def _of(step: str, role: str) -> str:
    """Say in brackets which step and role a file belongs to."""
    words = [f"step {step!r}" if step else "", role]
    text = ", ".join(word for word in words if word)
    return f" ({text})" if text else ""


def _steps_by_manifest(store: Store) -> dict[str, str]:
    """Name the step of each manifest as the keys record it."""
    found: dict[str, str] = {}
    for path in store.files("keys", ".json"):
        try:
            pointer = json.loads(path.read_bytes())
            found[str(pointer["manifest"])] = str(pointer["step"])
        except (ValueError, KeyError, TypeError):
            continue
    return found


def _claimed_step(content: bytes) -> str:
    """Read which step a damaged manifest says it is of."""
    try:
        return str(json.loads(content)["step"])
    except (ValueError, KeyError, TypeError):
        return ""


def _records(manifests: Mapping[str, Manifest]) -> dict[str, tuple[Artefact, Manifest, str]]:
    """List each artefact once, with a run and role that gave it."""
    found: dict[str, tuple[Artefact, Manifest, str]] = {}
    for manifest in sorted(manifests.values(), key=lambda each: (each.created_at, each.id)):
        for role, artefact in manifest.outputs.items():
            found.setdefault(artefact.file_name, (artefact, manifest, role))
    return found


def _check_mark(store: Store) -> list[Finding]:
    """Check the file that says that the folder is a store."""
    try:
        if json.loads((store.path / MARK).read_bytes())["schema"] == "lsakit.store/1":
            return []
    except (OSError, ValueError, KeyError, TypeError):
        pass
    sentence = f"The file {MARK} no longer says that this folder is a store."
    return [Finding(file=MARK, problem="changed", what="mark", sentence=sentence)]


def _check_artefact(store: Store, artefact: Artefact, manifest: Manifest, role: str) -> Iterator[Finding]:
    """Check the file of one artefact against its record."""
    state = store.state(artefact)
    if state == "whole":
        return
    place = _of(manifest.step, f"output {role!r}")
    if state == "missing":
        sentence = f"The artefact {artefact.file_name}{place} is missing."
    else:
        sentence = (
            f"The artefact {artefact.file_name}{place} was changed after it was written: "
            f"{_what_changed(artefact, store.path / artefact.file_name)}."
        )
    yield Finding(
        file=artefact.file_name,
        problem=state,
        what="artefact",
        step=manifest.step,
        role=role,
        sentence=sentence,
    )


def _what_changed(artefact: Artefact, path: Path) -> str:
    """Say what a changed file still holds."""
    n_bytes = path.stat().st_size
    size = "" if n_bytes == artefact.n_bytes else f"{n_bytes} bytes instead of {artefact.n_bytes}, "
    if artefact.kind != "table":
        return size + "its bytes have another hash"
    held = table_held_by(path)
    if held is None:
        return size + "it can no longer be read as a table"
    if held["hash"] == artefact.hash:
        return size + "its bytes have another hash, though its values are still the same"
    if tuple(held["columns"]) != artefact.columns:
        return size + "its columns have other names"
    pairs = zip(artefact.columns, artefact.column_digests, held["column_digests"], strict=True)
    changed = [name for name, before, after in pairs if before != after]
    return size + f"other values in column {', '.join(changed[:5])}"


def _check_unrecorded(store: Store, records: Mapping[str, object]) -> list[Finding]:
    """Check artefacts that no manifest records, by their own names."""
    kinds = {extension: kind for kind, extension in EXTENSIONS.items()}
    findings = []
    for path in store.files("artefacts"):
        file = path.relative_to(store.path).as_posix()
        if file in records:
            continue
        kind = kinds.get(path.suffix.lstrip("."), "")
        if not kind or path.parent.name != path.stem[:2] or "-" not in path.stem:
            sentence = f"The file {file} does not belong among the artefacts."
            findings.append(Finding(file=file, problem="stray", what="artefact", sentence=sentence))
            continue
        findings += _check_by_name(path, file, kind)
    return findings


def _check_by_name(path: Path, file: str, kind: str) -> list[Finding]:
    """Check one artefact that no manifest records."""
    content = path.read_bytes()
    sentence = f"The artefact {file} was changed after it was written: its bytes have another hash."
    try:
        if is_whole(path, content):
            read_artefact(content, kind, f"sha256:{path.stem.partition('-')[0]}")
            return []
    except LineageError as error:
        sentence = error.what
    return [Finding(file=file, problem="changed", what="artefact", sentence=sentence)]


def _check_inputs(
    store: Store, manifests: Mapping[str, Manifest], records: Mapping[str, tuple[Artefact, Manifest, str]]
) -> list[Finding]:
    """Find inputs that no run gave and no file holds."""
    known = {artefact.hash for artefact, _, _ in records.values()}
    findings = []
    for manifest in manifests.values():
        for role, value_hash in manifest.inputs.items():
            if value_hash in known:
                continue
            try:
                store.kind(value_hash)
            except LineageError:
                sentence = f"The input {role!r} of step {manifest.step!r} ({value_hash}) is missing."
                findings.append(
                    Finding(
                        file=value_hash,
                        problem="missing",
                        what="artefact",
                        step=manifest.step,
                        role=role,
                        sentence=sentence,
                    )
                )
    return findings


def _check_pointers(
    store: Store, manifests: Mapping[str, Manifest], findings: list[Finding]
) -> list[Finding]:
    """Check that names and keys point to manifests, and that each manifest's key points back."""
    damaged = {Path(finding.file).stem for finding in findings if finding.what == "manifest"}
    known = {*manifests, *damaged}
    found = []
    reported: set[str] = set()
    for folder, what in (("refs", "name"), ("keys", "key")):
        for path in store.files(folder):
            file = path.relative_to(store.path).as_posix()
            found += _check_pointer(path, file, what, known, reported)
    for manifest in manifests.values():
        if not (store.path / key_path(manifest.key)).is_file():
            sentence = f"The pointer {key_path(manifest.key)} of step {manifest.step!r} is missing."
            file = key_path(manifest.key)
            found.append(
                Finding(file=file, problem="missing", what="key", step=manifest.step, sentence=sentence)
            )
    return found


def _check_pointer(path: Path, file: str, what: str, known: set[str], reported: set[str]) -> list[Finding]:
    """Check one name or key; a manifest that is gone is reported once."""
    try:
        pointer = json.loads(path.read_bytes())
        target, step = str(pointer["manifest"]), str(pointer.get("step", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        sentence = f"The {what} {file} was changed: it can no longer be read."
        return [Finding(file=file, problem="changed", what=what, sentence=sentence)]
    if target in known or target in reported:
        return []
    reported.add(target)
    gone = f"manifests/{target}.json"
    sentence = f"The manifest {gone}{_of(step, file)} is missing, or {file} was changed to point to it."
    return [Finding(file=gone, problem="missing", what="manifest", step=step, role=file, sentence=sentence)]
