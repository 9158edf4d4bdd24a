"""The rules in force: those of the program, and those that the installation put into its folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from dienrong.core import clock
from dienrong.scorecard.numeric.rules import Rule, read_rules

OWN_RULES = Path(__file__).resolve().parent / "rules"
HELD_SECONDS = 2.0
"""How long a page trusts the folders without looking at their files again."""
Folders = tuple[Path, Path]
_lock = threading.Lock()
_kept: dict[tuple[tuple[str, int, int], ...], Mapping[str, Rule]] = {}
_held: dict[Folders, tuple[float, Mapping[str, Rule]]] = {}


def folders() -> Folders:
    """Give the program's folder of rules and the installation's."""
    return OWN_RULES, settings.OPTIONS.rules_path


def rules() -> Mapping[str, Rule]:
    """Give the rules by their ids, for pages: as they stood at most two seconds ago.

    Raises
    ------
    RuleError
        If a file is malformed.
    """
    held = _held.get(folders())
    if held is not None and clock.monotonic_seconds() - held[0] < HELD_SECONDS:
        return held[1]
    return rules_now()


def rules_now() -> Mapping[str, Rule]:
    """Give the rules by their ids, for checks: a file put in, changed or removed counts at once.

    Raises
    ------
    RuleError
        If a file is malformed.
    """
    asked = folders()
    files = [path for folder in asked if folder.is_dir() for path in sorted(folder.glob("*.toml"))]
    stamps = [(path, path.stat()) for path in files]
    mark = tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stamps)
    with _lock:
        if mark not in _kept:
            _kept.clear()
            _kept[mark] = read_rules(asked)
        _held.clear()
        _held[asked] = clock.monotonic_seconds(), _kept[mark]
        return _kept[mark]
