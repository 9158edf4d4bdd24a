"""Run every benchmark, one after the other, each in a process of its own.

python -m benchmarks [name ...]

What a benchmark prints goes to the screen and to ``benchmarks/results/<name>.txt``. Compare ratios and growth over
the sizes; absolute seconds belong to the machine and its load. A benchmark that finds a number moved ends with an
error, and so does this command.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Sizes grow threefold or more, so that growth shows.
SIZES: dict[str, list[str]] = {
    "calibration": ["6000", "60000", "600000"],
    "estimation": ["6000", "60000", "600000"],
    "population": ["60000"],
    "scaling": ["6000", "60000"],
    "import": ["--sizes", "2000", "20000", "200000"],
    "files": ["--sizes", "60000", "200000", "600000"],
}


def names() -> list[str]:
    """List the benchmarks by name."""
    return sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def run(name: str) -> int:
    """Run one benchmark; show and keep what it prints."""
    command = [sys.executable, str(FOLDER / f"bench_{name}.py"), *SIZES.get(name, [])]
    print(f"== {name}", flush=True)
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    print(outcome.stdout, outcome.stderr, sep="", flush=True)
    kept = FOLDER / "results" / f"{name}.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(outcome.stdout, encoding="utf-8")
    return outcome.returncode


def main(words: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = sorted(set(words) - set(names()))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(names())}.", file=sys.stderr)
        return 2
    failed = [name for name in (words or names()) if run(name)]
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
