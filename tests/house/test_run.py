"""The file that sets everything up: what it refuses, and how."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Load run.py as a module whose folder is an empty one."""
    specification = importlib.util.spec_from_file_location("run_under_test", REPOSITORY / "run.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "WHEELHOUSE", tmp_path / "wheelhouse")
    return module


def test_it_uses_the_standard_library_alone() -> None:
    tree = ast.parse((REPOSITORY / "run.py").read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= set(sys.stdlib_module_names)


def test_an_old_python_reads_the_file_far_enough_to_be_told() -> None:
    """Python 3.6 must parse the file: no match statement, no walrus, no positional-only mark."""
    ast.parse((REPOSITORY / "run.py").read_text(encoding="utf-8"), feature_version=(3, 6))


def test_an_unknown_command_names_the_known_ones() -> None:
    told = subprocess.run(
        [sys.executable, "run.py", "fly"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert (
        "run.py knows no command 'fly'. It knows: demo, test, long, check, bare, wheelhouse." in told.stderr
    )


def test_without_any_installer_it_says_what_to_install(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "answers", lambda command: False)
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    with pytest.raises(run.CannotGoOnError, match="apt install python3-venv") as refusal:
        run.find_installers(run.Environment(".venv"))
    assert "wheelhouse" in str(refusal.value)


def test_without_network_it_names_the_wheelhouse(run: ModuleType) -> None:
    script = "import sys; sys.exit('NewConnectionError: Temporary failure in name resolution')"
    with pytest.raises(run.CannotGoOnError, match="The package index cannot be reached") as refusal:
        run.run_installer([[sys.executable, "-c", script]], [])
    assert "python3 run.py wheelhouse" in str(refusal.value)
    assert "NewConnectionError" not in str(refusal.value)


def test_a_failed_installer_is_followed_by_the_next(run: ModuleType) -> None:
    failing, working = [sys.executable, "-c", "raise SystemExit(1)"], [sys.executable, "-c", "pass"]
    run.run_installer([failing, working], [])
    with pytest.raises(run.CannotGoOnError, match="could not be installed"):
        run.run_installer([failing], [])


def test_another_failure_shows_what_the_installer_said(run: ModuleType) -> None:
    script = "import sys; sys.exit('ERROR: hashes are required')"
    with pytest.raises(run.CannotGoOnError, match="hashes are required"):
        run.run_installer([[sys.executable, "-c", script]], [])


def test_a_wheelhouse_is_used_without_network(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run.WHEELHOUSE.mkdir()
    monkeypatch.setattr(run, "answers", lambda command: True)
    for installer in run.find_installers(run.Environment(".venv")):
        assert "--no-index" in installer


def test_a_changed_lock_changes_the_fingerprint(run: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    lock.write_text("a==1", encoding="utf-8")
    before = run.fingerprint([lock])
    assert run.fingerprint([lock]) == before
    lock.write_text("a==2", encoding="utf-8")
    assert run.fingerprint([lock]) != before
