"""Manifests: how an artefact was made, itself named by the hash of its content."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from lsakit import __version__
from lsakit.errors import LineageError
from lsakit.lineage.hashing import hash_bytes, plain, revive

SCHEMA = "lsakit.manifest/1"
EXTENSIONS = {"table": "parquet", "parameters": "json", "file": "bin"}
SHORT_DIGEST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """One stored result.

    Parameters
    ----------
    hash : str
        Hash of its values in canonical form: its name in the store.
    kind : str
        ``"table"`` (Parquet), ``"parameters"`` (JSON) or ``"file"`` (bytes as they are).
    file_digest : str
        SHA-256 of the bytes of the file that holds it.
    n_bytes : int
        Size of that file in bytes.
    n_rows : int or None
        Rows of a table.
    columns : tuple of str
        Column names of a table.
    column_digests : tuple of str
        Start of the hash of each column; says which column changed.
    """

    hash: str
    kind: str
    file_digest: str
    n_bytes: int
    n_rows: int | None = None
    columns: tuple[str, ...] = ()
    column_digests: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """Path of the file inside a store, with forward slashes."""
        return artefact_path(self.hash, self.kind, self.file_digest)


def artefact_path(value_hash: str, kind: str, file_digest: str) -> str:
    """Give the place of an artefact inside a store.

    Parameters
    ----------
    value_hash : str
        ``sha256:`` and hexadecimal digits, over the values.
    kind : str
        ``"table"``, ``"parameters"`` or ``"file"``.
    file_digest : str
        ``sha256:`` and hexadecimal digits, over the bytes of the file.

    Returns
    -------
    str
        Relative path with forward slashes. The name carries both hashes, so that damage shows before the
        file is opened: a damaged Parquet file can stop the whole process that reads it.
    """
    digits = value_hash.rpartition(":")[2]
    short = file_digest.rpartition(":")[2][:SHORT_DIGEST]
    return f"artefacts/{digits[:2]}/{digits}-{short}.{EXTENSIONS[kind]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """How a step was run.

    Parameters
    ----------
    id : str
        64 hexadecimal digits: the SHA-256 of the manifest's own file, which is called after it.
    step : str
        Name of the step.
    step_version : int
        Version of the step; raised when its numbers change on purpose.
    key : str
        Hash of step, version, inputs, parameters and seed: two runs with the same key are the same run.
    inputs : Mapping of str to str
        Hash of each input by its role.
    parameters : Mapping of str to object
        Parameters of the run.
    seed : int or None
        Seed of all random streams of the step.
    software : Mapping of str to str
        Versions of what computed; recorded, never part of a hash of values.
    outputs : Mapping of str to Artefact
        What came out, by role.
    created_at : str
        Moment, ISO 8601.
    who : str
        Who started it.
    """

    id: str
    step: str
    step_version: int
    key: str
    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    seed: int | None
    software: Mapping[str, str]
    outputs: Mapping[str, Artefact]
    created_at: str
    who: str

    @property
    def file_name(self) -> str:
        """Path of the manifest inside a store, with forward slashes."""
        return f"manifests/{self.id}.json"


def manifest_content(fields: Mapping[str, Any]) -> bytes:
    """Write a manifest as the bytes that its id is the hash of.

    Parameters
    ----------
    fields : Mapping of str to object
        All fields of :class:`Manifest` but ``id``.

    Returns
    -------
    bytes
        Indented JSON with sorted keys, UTF-8.
    """
    content = {"schema": SCHEMA, **plain(fields, "manifest")}
    return (
        json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n"
    ).encode()


def new_manifest(**fields: Any) -> tuple[Manifest, bytes]:
    """Make a manifest and its bytes.

    Parameters
    ----------
    **fields : object
        All fields of :class:`Manifest` but ``id``.

    Returns
    -------
    manifest : Manifest
        The manifest, named by the hash of its content.
    content : bytes
        The bytes of its file.
    """
    content = manifest_content(fields)
    return parse_manifest(content, name="the new manifest"), content


def parse_manifest(content: bytes, *, name: str) -> Manifest:
    """Read a manifest from its bytes.

    Parameters
    ----------
    content : bytes
        The bytes of its file.
    name : str
        What the file is called in a refusal.

    Returns
    -------
    Manifest
        The manifest; its id is computed from the bytes.

    Raises
    ------
    LineageError
        If the bytes are not a manifest.
    """
    try:
        data = json.loads(content)
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema {data.get('schema')!r}")
        outputs = {role: _artefact(fields) for role, fields in data["outputs"].items()}
        return Manifest(
            id=hash_bytes(content).rpartition(":")[2],
            step=data["step"],
            step_version=data["step_version"],
            key=data["key"],
            inputs=data["inputs"],
            parameters=revive(data["parameters"]),
            seed=data["seed"],
            software=data["software"],
            outputs=outputs,
            created_at=data["created_at"],
            who=data["who"],
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LineageError(
            f"{name} is not a manifest of lsakit ({error}).",
            hint="Name a file that ends in .manifest.json or an id from `lsa verify`.",
            param=name,
        ) from error


def _artefact(fields: Mapping[str, Any]) -> Artefact:
    """Read one artefact record."""
    lists = {name: tuple(fields.get(name, ())) for name in ("columns", "column_digests")}
    return Artefact(**{**fields, **lists})


def software_versions() -> dict[str, str]:
    """Name the software that computes.

    Returns
    -------
    dict of str to str
        Versions of lsakit, Python, NumPy, SciPy, Numba and Polars, and the kind of processor.
    """
    found = {"lsakit": __version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "numba", "polars"):
        found[package] = _installed(package)
    return {**found, "platform": f"{platform.system()} {platform.machine()}"}


def _installed(package: str) -> str:
    """Give a package's version, or say that it is absent."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
