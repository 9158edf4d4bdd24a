"""The files of a store: written whole or not at all, and refused when they are not as written."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from lsakit.errors import FileFormatError, LineageError
from lsakit.io.canonical import table_digest, table_from_parquet
from lsakit.lineage.hashing import hash_bytes, hash_parameters, revive
from lsakit.lineage.manifests import SHORT_DIGEST


def is_whole(path: Path, content: bytes) -> bool:
    """Say whether the bytes of an artefact's file are those that its name tells.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes
        Its bytes.

    Returns
    -------
    bool
        Whether the digest in the name is theirs.
    """
    return hash_bytes(content).rpartition(":")[2][:SHORT_DIGEST] == path.stem.rpartition("-")[2]


def read_artefact(content: bytes, kind: str, value_hash: str) -> Any:
    """Read an artefact from the whole bytes of its file and check its values against its name.

    Parameters
    ----------
    content : bytes
        The file.
    kind : str
        ``"table"``, ``"parameters"`` or ``"file"``.
    value_hash : str
        Hash that the values must have.

    Returns
    -------
    polars.DataFrame or object or bytes
        The value.

    Raises
    ------
    LineageError
        If the file cannot be read or holds other values.
    """
    value: Any = content
    try:
        if kind == "table":
            value = table_from_parquet(content, name=value_hash)
            actual = table_digest(value).hash
        elif kind == "parameters":
            value = revive(json.loads(content))
            actual = hash_parameters(value)
        else:
            actual = hash_bytes(content)
    except (FileFormatError, ValueError) as error:
        raise changed_artefact(value_hash, f"it can no longer be read: {error}", value_hash) from error
    if actual != value_hash:
        raise changed_artefact(value_hash, f"its values now have the hash {actual[:19]}…", value_hash)
    return value


def changed_artefact(file: str, what: str, value_hash: str) -> LineageError:
    """Say that an artefact is not what its name says.

    Parameters
    ----------
    file : str
        The file, or the hash of its values.
    what : str
        What is seen.
    value_hash : str
        Hash that the values must have.

    Returns
    -------
    LineageError
        The refusal.
    """
    return LineageError(
        f"The artefact {file} was changed after it was written; {what}.",
        why="A number that rests on it could no longer be traced.",
        hint="Restore the file from a copy, or remove it and run the step that made it again.",
        param="hash",
        got=value_hash,
    )


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, even if the power fails.

    Parameters
    ----------
    path : Path
        The file; its folder is made when absent.
    content : bytes
        The bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


def key_path(key: str) -> str:
    """Place the pointer from a key to its manifest.

    Parameters
    ----------
    key : str
        Key of a run.

    Returns
    -------
    str
        Path inside the store.
    """
    digits = key.rpartition(":")[2]
    return f"keys/{digits[:2]}/{digits}.json"


def ref_path(name: str) -> str:
    """Place the pointer from a name to its manifest.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        Path inside the store.

    Raises
    ------
    LineageError
        If the name could leave its folder.
    """
    parts = name.split("/")
    if not all(re.fullmatch(r"[\w-][\w.-]*", part) for part in parts):
        raise LineageError(
            f"The name {name!r} cannot be used in a store.",
            hint="Use letters, digits, '.', '-' and '_', with '/' between parts.",
            param="name",
            got=name,
        )
    return "refs/" + "/".join(parts) + ".json"
