"""The documents keep up with the code."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def settings() -> dict:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


def packages() -> list[str]:
    project = settings()["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    return sorted({re.split(r"[\[<>=~!; ]", line)[0].lower() for line in lines})


@pytest.mark.parametrize("package", packages())
def test_a_dependency_has_its_reason(package: str) -> None:
    text = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert f"| {package} " in text, f"docs/dependencies.md has no line that says why {package} is needed"


@pytest.mark.parametrize("lock", ["run", "test", "dev", "bare"])
def test_a_lock_file_pins_and_hashes_every_dependency(lock: str) -> None:
    text = (REPOSITORY / "requirements" / f"{lock}.lock").read_text(encoding="utf-8").lower()
    extras = settings()["project"]["optional-dependencies"]
    wanted = {
        "run": ["build", "web"],
        "test": ["build", "web", "test", "webtest"],
        "dev": list(extras),
        "bare": ["build", "test"],
    }[lock]
    lines = [*settings()["project"]["dependencies"], *(line for extra in wanted for line in extras[extra])]
    for line in lines:
        package = re.split(r"[\[<>=~!; ]", line)[0].lower()
        assert re.search(rf"^{re.escape(package)}(\[[^]]*\])?==\S+", text, re.MULTILINE), (
            f"{lock}.lock lacks {package}"
        )
    pins = re.findall(r"^\S+==", text, re.MULTILINE)
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(blocks)
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text, "a lock file names packages, not the places they come from"


def links(path: Path) -> list[str]:
    found = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def documents() -> list[Path]:
    return sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_link_of_a_document_leads_somewhere(path: Path) -> None:
    broken = [target for target in links(path) if not (path.parent / target).exists()]
    assert not broken, f"{path.name} points to nothing: {broken}"


def test_each_decision_has_its_own_number() -> None:
    names = [path.name for path in sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))]
    numbers = [name[:4] for name in names]
    assert all(number.isdigit() for number in numbers), names
    assert len(set(numbers)) == len(numbers), names


def tracked_text() -> list[Path]:
    asked = ["git", "-C", str(REPOSITORY), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split("\n")
    endings = {".py", ".md", ".toml", ".html", ".css", ".js", ".po", ".txt", ".json", ".yml", ""}
    return [REPOSITORY / name for name in names if name and Path(name).suffix in endings]


def test_no_path_of_one_machine_is_written_down() -> None:
    pattern = re.compile(r"(?<![\w.])/(work|root|home/\w+)/\w")
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in tracked_text()
        if path.is_file() and path.name != "test_documents.py"
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        if pattern.search(line)
    ]
    assert not found, found
