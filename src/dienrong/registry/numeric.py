"""Columns of lsakit's synthetic nation as plain rows for the registry; no ORM here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NationRows:
    """Units and schools as plain rows, with the fingerprint of their values."""

    source: str
    fingerprint: str
    provinces: tuple[dict[str, Any], ...]
    communes: tuple[dict[str, Any], ...]
    schools: tuple[dict[str, Any], ...]


def nation_source(*, seed: int, size: str) -> str:
    """Say from where the rows of a synthetic nation come."""
    from lsakit import __version__

    return f"lsakit {__version__} · nation(seed={seed}, size={size!r})"


def nation_rows(*, seed: int, size: str) -> NationRows:
    """Make the synthetic nation of a seed and give its units and schools as rows.

    Every province and commune of the country comes along, also where the small nation has no school there.
    """
    from lsakit import datasets, lineage

    schools = datasets.nation(seed=seed, size=size).schools
    provinces, communes = datasets.units.provinces(), datasets.units.communes()
    return NationRows(
        source=nation_source(seed=seed, size=size),
        fingerprint=lineage.hash_parameters(
            {
                "provinces": lineage.hash_table(provinces),
                "communes": lineage.hash_table(communes),
                "schools": lineage.hash_table(schools),
            }
        ),
        provinces=tuple(provinces.to_dicts()),
        communes=tuple(communes.to_dicts()),
        schools=tuple(schools.to_dicts()),
    )
