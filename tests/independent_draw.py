"""A public draw repeated from docs/algorithms/public_draw.md alone: the standard library, none of our code.

It knows what the tests need: text and number columns, the default rules, recomputed certainties.
"""

from __future__ import annotations

import hashlib
import json
import math
from fractions import Fraction
from typing import Any


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value == math.floor(value):
        return str(int(value))
    return repr(value) if isinstance(value, float) else str(value)


def sha(text: str) -> str:
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def kind(values: list[Any]) -> str:
    some = next(value for value in values if value is not None)
    return "truth" if isinstance(some, bool) else "text" if isinstance(some, str) else "number"


def frame_hash(frame: dict[str, list[Any]]) -> str:
    names = sorted(frame)
    order = sorted(range(len(frame["school_id"])), key=lambda row: frame["school_id"][row])
    lines = [compact({name: kind(frame[name]) for name in names}), compact(names)]
    lines += [compact([cell(frame[name][row]) for name in names]) for row in order]
    return sha("\n".join(lines) + "\n")


def seed_of(commitment: str, text: str) -> int:
    whole = "lsakit.public_seed/1\n" + commitment + "\n" + " ".join(text.split())
    return int.from_bytes(hashlib.sha256(whole.encode()).digest()[:16], "big")


def start_of(seed: int, label: str) -> Fraction:
    digest = hashlib.blake2b(
        f"{seed}\x1fdraw_schools\x1f{label}".encode(), digest_size=16, person=b"lsakit.stream"
    ).digest()
    return Fraction((int.from_bytes(digest[:8], "little") >> 11) + 1, 2**53)


def serpentine(rows: list[int], keys: list[dict[int, Any]]) -> list[int]:
    """Sort by keys, each turned around after every group of the keys before, over the whole list."""
    groups = [sorted(rows)]
    for key in keys:
        made: list[list[int]] = []
        for number, group in enumerate(groups):
            values = sorted({key[row] for row in group}, reverse=number % 2 == 1)
            made += [[row for row in group if key[row] == value] for value in values]
        groups = made
    return [row for group in groups for row in group]


def draw(frame: dict[str, list[Any]], design: dict[str, Any], seed: int) -> dict[str, tuple[float, Any, Any]]:
    """Give probability and replacements of each drawn school."""
    explicit = design["explicit"]
    n = len(frame["school_id"])
    labels = [" / ".join(frame[name][row] for name in explicit) if explicit else "all" for row in range(n)]
    by_id = sorted(range(n), key=lambda row: frame["school_id"][row])
    rank = {row: place for place, row in enumerate(by_id)}
    out: dict[str, tuple[float, Any, Any]] = {}
    for label in sorted(set(labels)):
        inside = [rank[row] for row in range(n) if labels[row] == label]
        size = {rank[row]: Fraction(max(frame["enrolment"][row], design["n_students"])) for row in range(n)}
        keys = [{rank[row]: frame[name][row] for row in range(n)} for name in design["implicit"]]
        order = serpentine(inside, [*keys, size])
        left, certain = design["n_schools"][label], set()
        while True:
            rest = [row for row in order if row not in certain]
            interval = sum(size[row] for row in rest) / left if left else Fraction(0)
            large = [row for row in rest if size[row] >= interval] if left else []
            if not large:
                break
            certain |= set(large)
            left -= len(large)
        chosen, reached, start = set(certain), Fraction(0), start_of(seed, label)
        number = start * interval
        for row in rest:
            reached += size[row]
            if left and number <= reached:
                chosen.add(row)
                number += interval
        places = [place for place, row in enumerate(order) if row in chosen]
        used, behind = set(places), {place: [None, None] for place in places}
        for which, offsets in enumerate(((1, -1), (-1, 2, 1, -2))):
            for place in places:
                for offset in offsets:
                    to = place + offset
                    if 0 <= to < len(order) and to not in used:
                        used.add(to)
                        behind[place][which] = frame["school_id"][by_id[order[to]]]  # type: ignore[call-overload]
                        break
        for place in places:
            row = order[place]
            p = 1.0 if row in certain else float(size[row] / interval)
            out[frame["school_id"][by_id[row]]] = (p, *behind[place])
    return out
