"""Sums of finished shards on disk, so that an interrupted run goes on from where it stood."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lsakit.estimation.group_sums import GroupSums
from lsakit.estimation.replication import Groups
from lsakit.estimation.survey_design import SurveyDesign
from lsakit.io.frames import table_bytes, table_from_bytes

ARRAYS = ("totals", "sums", "about", "root")


def keep(place: Path, part: GroupSums) -> None:
    """Write the sums of a shard; another process never sees half of them.

    Parameters
    ----------
    place : Path
        The file.
    part : GroupSums
        The sums.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {name: getattr(part, name) for name in ARRAYS}
    arrays["n"] = part.groups.n
    words = {
        "by": list(part.groups.by),
        "n_missing_by": part.groups.n_missing_by,
        "n_missing_values": part.n_missing_values,
        "lonely_zones": list(part.lonely_zones),
        "form": part.form,
        "n_clusters": len(part.clusters),
    }
    arrays["words"] = np.frombuffer(json.dumps(words).encode(), dtype=np.uint8)
    arrays["keys"] = np.frombuffer(table_bytes(part.groups.keys), dtype=np.uint8)
    for k, table in enumerate(part.clusters):
        arrays[f"clusters_{k}"] = np.frombuffer(table_bytes(table), dtype=np.uint8)
    aside = place.with_name(f"{place.stem}.{os.getpid()}.tmp.npz")
    np.savez(aside, **arrays)
    aside.replace(place)


def kept(place: Path, design: SurveyDesign) -> GroupSums | None:
    """Read the sums of a shard that was done before.

    Parameters
    ----------
    place : Path
        The file.
    design : SurveyDesign
        The design under which they were made; the name of the file stands for it.

    Returns
    -------
    GroupSums or None
        The sums; None where the file is not there or damaged, so that the shard is read anew.
    """
    try:
        with np.load(place, allow_pickle=False) as arrays:
            words = json.loads(arrays["words"].tobytes())
            keys = table_from_bytes(arrays["keys"].tobytes())
            tables = [table_from_bytes(arrays[f"clusters_{k}"].tobytes()) for k in range(words["n_clusters"])]
            numbers = {name: arrays[name] for name in ARRAYS}
            n = arrays["n"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    groups = Groups(
        by=tuple(words["by"]),
        keys={name: keys.get_column(name).to_list() for name in words["by"]},
        codes=np.zeros(0, dtype=np.int64),
        n=n,
        n_schools=None,
        n_missing_by=words["n_missing_by"],
    )
    return GroupSums(
        groups=groups,
        form=_tuples(words["form"]),
        clusters=tuple(tables),
        design=design,
        lonely_zones=tuple(words["lonely_zones"]),
        n_missing_values=words["n_missing_values"],
        **numbers,
    )


def _tuples(value: Any) -> Any:
    """Lists as tuples again, all the way down."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
