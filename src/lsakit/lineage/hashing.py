"""Hashes over values: the same values give the same name on every machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

import numpy as np

from lsakit.errors import LineageError
from lsakit.io.canonical import table_digest

ALGORITHM = "sha256"


def hash_table(table: Any) -> str:
    """Hash the values of a table.

    Parameters
    ----------
    table : table
        Polars or pandas DataFrame, or mapping of columns.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits over column names, canonical kinds, row order and values.

    Examples
    --------
    >>> hash_table({"x": [1.0, float("nan")]}) == hash_table({"x": [1.0, -float("nan")]})
    True
    """
    return table_digest(table).hash


def hash_bytes(content: bytes) -> str:
    """Hash bytes.

    Parameters
    ----------
    content : bytes
        The bytes, for example of a file.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits.

    Examples
    --------
    >>> hash_bytes(b"")[:14]
    'sha256:e3b0c44'
    """
    return f"{ALGORITHM}:{hashlib.sha256(content).hexdigest()}"


def hash_parameters(parameters: Any) -> str:
    """Hash parameters: numbers, text, dates, lists and mappings of them.

    Parameters
    ----------
    parameters : object
        Mappings with text keys, sequences, NumPy arrays, frozen dataclasses, dates, text, numbers, truth
        values and None, nested as one likes.

    Returns
    -------
    str
        ``sha256:`` and 64 hexadecimal digits over the canonical JSON text.

    Raises
    ------
    LineageError
        If a value of another kind lies within; the sentence says where.

    Examples
    --------
    >>> hash_parameters({"a": 1, "b": (2.5, None)}) == hash_parameters({"b": [2.5, None], "a": 1})
    True
    >>> hash_parameters({"a": 1}) == hash_parameters({"a": 1.0})
    False
    """
    return hash_bytes(b"lsakit.parameters/1\n" + canonical_json(parameters).encode())


def canonical_json(value: Any) -> str:
    """Write parameters as JSON in one canonical form.

    Parameters
    ----------
    value : object
        As for :func:`hash_parameters`.

    Returns
    -------
    str
        JSON with sorted keys and no spaces; −0.0 as 0.0; numbers that JSON lacks as
        ``{"$float": "nan"}``, dates as ``{"$date": "2026-11-22"}``.
    """
    return json.dumps(
        plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def plain(value: Any, where: str = "parameters") -> Any:
    """Reduce parameters to what JSON holds.

    Parameters
    ----------
    value : object
        As for :func:`hash_parameters`.
    where : str, default "parameters"
        Path named in a refusal.

    Returns
    -------
    object
        Nested dict, list, str, int, float, bool and None.

    Raises
    ------
    LineageError
        If a value cannot be written.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value + 0.0 if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, datetime):
        return {"$moment": value.isoformat()}
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    if isinstance(value, PurePath):
        return value.as_posix()
    return _plain_container(value, where)


def _plain_container(value: Any, where: str) -> Any:
    """Reduce a mapping, sequence, array or dataclass; refuse anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or key.startswith("$"):
                raise _refusal(
                    key, f"key {key!r} of {where}", "Use text that does not begin with '$' as keys."
                )
        return {key: plain(part, f"{where}.{key}") for key, part in value.items()}
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(part, f"{where}[{index}]") for index, part in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(part, where) for part in value)
    raise _refusal(value, where, "Pass numbers, text, dates, lists or mappings; put tables in as tables.")


def _refusal(value: Any, where: str, hint: str) -> LineageError:
    """Say that a value cannot be part of parameters."""
    return LineageError(
        f"The value at {where} is {type(value).__name__}, which has no canonical form.",
        why="Parameters are kept as JSON and named by their hash.",
        hint=hint,
        param=where,
        got=type(value).__name__,
    )


def revive(value: Any) -> Any:
    """Undo the marks that canonical JSON uses for what JSON lacks.

    Parameters
    ----------
    value : object
        Parsed JSON.

    Returns
    -------
    object
        The same with dates, moments and non-finite numbers as Python values; sequences are lists.

    Examples
    --------
    >>> revive(json.loads(canonical_json({"x": [float("inf"), date(2026, 9, 5)]})))
    {'x': [inf, datetime.date(2026, 9, 5)]}
    """
    if isinstance(value, list):
        return [revive(part) for part in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        (mark, content), *_ = value.items()
        if mark == "$float":
            return float(content)
        if mark == "$date":
            return date.fromisoformat(content)
        if mark == "$moment":
            return datetime.fromisoformat(content)
    return {key: revive(part) for key, part in value.items()}
