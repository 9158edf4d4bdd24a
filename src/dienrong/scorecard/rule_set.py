"""The rules in force: those of the program, and those that the installation put into its folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from django.conf import settings

from dienrong.scorecard.numeric.rules import Rule, read_rules

OWN_RULES = Path(__file__).resolve().parent / "rules"
_lock = threading.Lock()
_kept: dict[tuple[tuple[str, int, int], ...], Mapping[str, Rule]] = {}


def folders() -> tuple[Path, Path]:
    """Give the program's folder of rules and the installation's."""
    return OWN_RULES, settings.OPTIONS.rules_path


def rules() -> Mapping[str, Rule]:
    """Give the rules by their ids; a file that was put in, changed or removed counts from the next call on.

    Raises
    ------
    RuleError
        If a file is malformed.
    """
    files = [path for folder in folders() if folder.is_dir() for path in sorted(folder.glob("*.toml"))]
    stamps = [(path, path.stat()) for path in files]
    mark = tuple((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stamps)
    with _lock:
        if mark not in _kept:
            _kept.clear()
            _kept[mark] = read_rules(folders())
        return _kept[mark]
