"""Groups in which so many items are not common, or misfit, that their results may not compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from dienrong.scaling.numeric.results import record, table
from lsakit.irt.group_misfit import ALARM_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A group, how many of its items, and the share above which it is named; ``kind`` is "release" or "misfit"."""

    kind: str
    group: str
    n: int
    total: int
    share: float


def alarms_of(store_path: Path, manifests: Mapping[str, str]) -> tuple[Alarm, ...]:
    """List the alarms of a run: of its automatic release, and of the misfit that is left.

    Parameters
    ----------
    store_path : Path
        Folder of the store.
    manifests : Mapping of str to str
        Manifest by stage.

    Returns
    -------
    tuple of Alarm
        Alarms of the release first; none of misfit where the run has one group.

    Raises
    ------
    ResultGoneError
        If an artefact is missing or was changed.
    """
    found = []
    released = record(store_path, manifests, "calibration", "release")
    shares = table(store_path, manifests, "calibration", "release_shares")
    if shares is not None:
        for row in shares.filter(pl.col("group").is_in(list(released.get("alarmed") or []))).to_dicts():
            n = int(row["n_shared"] + row["n_own"])
            found.append(
                Alarm(
                    kind="release",
                    group=row["group"],
                    n=n,
                    total=int(row["n_items"]),
                    share=float(released["alarm_share"]),
                )
            )
    fit = table(store_path, manifests, "fit", "group_fit")
    if fit is not None and fit.get_column("group").n_unique() > 1:
        counts = fit.group_by("group").agg(n=pl.col("exceeds").sum(), total=pl.len()).sort("group")
        for row in counts.to_dicts():
            if row["n"] > ALARM_SHARE * row["total"]:
                found.append(
                    Alarm(
                        kind="misfit",
                        group=str(row["group"]),
                        n=int(row["n"]),
                        total=int(row["total"]),
                        share=ALARM_SHARE,
                    )
                )
    return tuple(found)
