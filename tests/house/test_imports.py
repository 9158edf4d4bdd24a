"""Each import contract holds, and each fails when it is broken on purpose."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"

pytest.importorskip("importlinter", reason="import-linter is a developer's tool (python3 run.py check)")

# contract → (file, line that breaks it)
BREAKS = {
    "lsakit rooms": ("src/lsakit/kernels/broken.py", "import lsakit.tables"),
    "lsakit knows no web": ("src/lsakit/estimation/broken.py", "import django"),
    "the statistics get arrays": ("src/lsakit/irt/broken.py", "import polars"),
    "only kernels are compiled": ("src/lsakit/design/broken.py", "import numba"),
    "rooms of dienrong": ("src/dienrong/core/broken.py", "import dienrong.reporting"),
    "in dienrong only numeric.py": ("src/dienrong/cycles/broken.py", "import lsakit"),
    "numeric.py never sees the ORM": ("src/dienrong/analysis/numeric.py", "import django"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    unwanted = shutil.ignore_patterns("__pycache__", "*.po", "*.mo", "static", "*.csv")
    shutil.copytree(REPOSITORY / "src", folder / "src", ignore=unwanted)
    return folder


def test_the_house_stands(copy: Path) -> None:
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_named(copy: Path, contract: str) -> None:
    file, line = BREAKS[contract]
    path = copy / file
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    try:
        outcome = lint(copy)
    finally:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, encoding="utf-8")
    broken = [row for row in outcome.stdout.splitlines() if " BROKEN" in row]
    assert outcome.returncode != 0
    assert any(contract in row for row in broken), outcome.stdout


def test_every_contract_has_a_break() -> None:
    import tomllib

    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    names = [contract["name"] for contract in settings["tool"]["importlinter"]["contracts"]]
    for label in names:
        assert any(label.startswith(start) for start in BREAKS), f"no test breaks the contract '{label}'"
