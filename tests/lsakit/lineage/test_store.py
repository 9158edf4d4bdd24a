"""Artefacts are found by their values, written whole, and every changed byte is found and named."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.errors import LineageError
from lsakit.lineage import Store


def flip(path: Path, place: int = -1) -> bytes:
    """Flip one bit of a file and give its former bytes."""
    before = path.read_bytes()
    changed = bytearray(before)
    changed[place] ^= 0x01
    path.write_bytes(bytes(changed))
    return before


def test_tables_parameters_and_files_come_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    table = pl.DataFrame({"school_id": ["01", None], "size": [1.5, float("nan")]})
    record = store.put_table(table)
    assert (record.n_rows, record.columns, record.kind) == (2, ("school_id", "size"), "table")
    assert store.table(record.hash).equals(table)
    assert store.load(record.hash).equals(table)
    assert store.parameters(store.put_parameters({"a": (1, float("inf"))}).hash) == {"a": [1, float("inf")]}
    assert store.file(store.put_file(b"PDF").hash) == b"PDF"
    assert store.put(b"PDF").kind == "file"
    assert store.put(table) == record
    assert store.put({"k": 1}).kind == "parameters"


def test_the_same_values_are_kept_once_whatever_their_width(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.put_table(pl.DataFrame({"n": [1, 2]}))
    second = store.put_table(pl.DataFrame({"n": [1, 2]}, schema={"n": pl.Int8}))
    assert first == second
    assert len(list(store.files("artefacts"))) == 1
    assert store.verify() == []


def test_a_folder_of_other_things_is_not_taken_for_a_store(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("x")
    with pytest.raises(LineageError, match="is not a store"):
        Store(tmp_path)
    with pytest.raises(LineageError, match="is not a store"):
        Store(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()


def test_every_flipped_byte_of_every_file_is_found_and_named(chain: Any) -> None:
    store = chain.store
    assert store.verify() == []
    steps = {name: manifest.step for name, manifest in chain.manifests.items()}
    artefacts = {
        artefact.file_name: (manifest.step, role)
        for manifest in chain.manifests.values()
        for role, artefact in manifest.outputs.items()
    }
    manifests = {manifest.file_name: manifest.step for manifest in chain.manifests.values()}
    assert len(artefacts) == len(manifests) == len(steps) == 3
    for file, (step, role) in artefacts.items():
        size = (store.path / file).stat().st_size
        for place in range(0, size, max(1, size // 3)):
            before = flip(store.path / file, place)
            (finding,) = store.verify()
            assert (finding.file, finding.problem, finding.step, finding.role) == (
                file,
                "changed",
                step,
                role,
            )
            assert file in finding.sentence
            assert repr(step) in finding.sentence
            (store.path / file).write_bytes(before)
    for file, step in manifests.items():
        size = (store.path / file).stat().st_size
        for place in range(0, size, max(1, size // 40)):
            before = flip(store.path / file, place)
            (finding,) = (found for found in store.verify() if found.what == "manifest")
            assert (finding.file, finding.problem, finding.step) == (file, "changed", step)
            (store.path / file).write_bytes(before)
    assert store.verify() == []


def test_a_changed_value_names_its_column(chain: Any) -> None:
    artefact = chain.manifests["draw"].outputs["scores"]
    path = chain.store.path / artefact.file_name
    table = chain.store.table(artefact.hash)
    table.with_columns(score=pl.when(pl.col("id") == "s3").then(900.0).otherwise("score")).write_parquet(path)
    (finding,) = chain.store.verify()
    assert "other values in column score" in finding.sentence
    assert finding.step == "draw"
    with pytest.raises(LineageError, match="was changed after it was written"):
        chain.store.table(artefact.hash)


def test_missing_files_are_named(chain: Any) -> None:
    store = chain.store
    artefact = chain.manifests["summarise"].outputs["summary"]
    (store.path / artefact.file_name).unlink()
    (finding,) = store.verify()
    assert (finding.problem, finding.step, finding.role) == ("missing", "summarise", "summary")
    with pytest.raises(LineageError, match="missing from the store"):
        store.parameters(artefact.hash)
    manifest = chain.manifests["publish"]
    (store.path / manifest.file_name).unlink()
    problems = {finding.file: finding for finding in store.verify() if finding.what == "manifest"}
    assert problems[manifest.file_name].problem == "missing"


def test_an_edited_manifest_is_not_read(chain: Any) -> None:
    manifest = chain.manifests["draw"]
    path = chain.store.path / manifest.file_name
    path.write_bytes(path.read_bytes().replace(b"an expert", b"a stranger"))
    with pytest.raises(LineageError, match="was changed after it was written"):
        chain.store.manifest(manifest.id)


def test_stray_and_unrecorded_artefacts(tmp_path: Path) -> None:
    store = Store(tmp_path)
    record = store.put_table({"n": [1, 2, 3]})
    assert store.verify() == []
    flip(store.path / record.file_name, 30)
    assert [finding.problem for finding in store.verify()] == ["changed"]
    store.put_table({"n": [1, 2, 3]})  # putting the values again heals the file
    assert store.verify() == []
    (tmp_path / "artefacts" / "note.txt").write_text("x")
    assert [finding.problem for finding in store.verify()] == ["stray"]


def test_names_point_to_manifests(chain: Any) -> None:
    store, manifest = chain.store, chain.manifests["publish"]
    assert store.ref("publish/grade5") == manifest.id
    assert store.refs() == {"publish/grade5": manifest.id}
    assert store.manifest(manifest.id[:10]) == manifest
    with pytest.raises(LineageError, match=r"no name 'publish/grade9'.*publish/grade5"):
        store.ref("publish/grade9")
    for bad in ("../out", "a//b", "a/.part-1", ""):
        with pytest.raises(LineageError, match="cannot be used"):
            store.set_ref(bad, manifest.id)
    with pytest.raises(LineageError, match="no manifest"):
        store.manifest("abcdef0123")


def test_nothing_half_written_stays_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.put_table({"n": [1]})
    monkeypatch.undo()
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == [
        tmp_path / "store" / "store.json"
    ]
    assert store.verify() == []


def test_processes_that_write_the_same_values_agree(tmp_path: Path) -> None:
    code = textwrap.dedent(
        """
        import sys
        import polars as pl
        from lsakit.lineage import Store
        store = Store(sys.argv[1])
        width = pl.Int8 if sys.argv[2] == "0" else pl.Int64
        for k in range(15):
            table = pl.DataFrame({"n": [k, k + 1]}, schema={"n": width})
            record = store.put_table(table)
            assert store.state(record) == "whole", record
        """
    )
    Store(tmp_path)
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen([*command, str(k)]) for k in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    values = {path.name.split("-")[0] for path in Store(tmp_path).files("artefacts")}
    assert len(values) == 15  # two files of one value differ in their bytes alone, and each is whole
    assert Store(tmp_path).verify() == []


def test_a_folder_of_stores_names_the_stores_in_it(tmp_path: Path) -> None:
    Store(tmp_path / "cycle-2026")
    with pytest.raises(LineageError, match=r"is not a store of lsakit. It holds stores: cycle-2026\."):
        Store(tmp_path)
