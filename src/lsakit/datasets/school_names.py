"""Names of synthetic schools: one pattern per kind, unique within a commune."""

from __future__ import annotations

from collections.abc import Sequence

from lsakit.datasets.units import read_data_file

STRIDES = (1, 7, 11, 13, 17)  # coprime to the sizes of both pools, so that a round repeats no name


def name_schools(
    *,
    levels: Sequence[str],
    kinds: Sequence[str],
    communes: Sequence[str],
    places: Sequence[str],
    starts: Sequence[int],
) -> list[str]:
    """Name every school so that no two of one commune share a name.

    Parameters
    ----------
    levels : Sequence of str of shape (n_schools,)
        "TH", "THCS", "TH-THCS", "THCS-THPT" or "TH-THCS-THPT".
    kinds : Sequence of str of shape (n_schools,)
        "ward" (named after people), "place" (named after the commune), "semi_boarding" (PTDTBT), "boarding"
        (PTDTNT) or "private".
    communes : Sequence of str of shape (n_schools,)
        Commune code of each school.
    places : Sequence of str of shape (n_schools,)
        Name of the commune.
    starts : Sequence of int of shape (n_schools,)
        A number per school, the same for the schools of one commune, at which the choice of names begins.

    Returns
    -------
    list of str of shape (n_schools,)
        Names such as "Trường TH Nguyễn Trãi" or "Trường PTDTBT TH-THCS Nậm Cang".
    """
    pools = dict(read_data_file("school_names.csv").group_by("kind", maintain_order=True).agg("name").rows())
    used: set[tuple[str, str]] = set()
    counts: dict[tuple[str, str], int] = {}
    names: list[str] = []
    for level, kind, commune, place, start in zip(levels, kinds, communes, places, starts, strict=True):
        key = (commune, f"{level}/{kind}")
        rank = counts.get(key, 0)
        name = _name(level, kind, place, (start, rank), pools.get(kind, []))
        while (commune, name) in used:
            rank += 1
            name = _name(level, kind, place, (start, rank), pools.get(kind, []))
        used.add((commune, name))
        counts[key] = rank + 1
        names.append(name)
    return names


def _name(level: str, kind: str, place: str, turn: tuple[int, int], pool: Sequence[str]) -> str:
    """Compose the rank-th name of its kind in one commune; ``turn`` is (start, rank)."""
    start, rank = turn
    if pool:
        round_number, position = divmod(rank, len(pool))
        own = pool[(start + position * STRIDES[start % len(STRIDES)]) % len(pool)]
        form = f"{level} tư thục {own}" if kind == "private" else f"{level} {own}"
        return f"Trường {form}" + (f" {round_number + 1}" if round_number else "")
    prefix = {"place": "Trường", "semi_boarding": "Trường PTDTBT", "boarding": "Trường PTDTNT"}[kind]
    return f"{prefix} {level} {place}" if rank == 0 else f"{prefix} {level} số {rank + 1} {place}"
