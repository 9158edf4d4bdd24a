"""A cycle is run once, reused, resumed, and the same on one core or two."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lsakit.errors import CancelledError, ConvergenceError, DesignError, LineageError, LsakitError
from lsakit.lineage import StepRequest, Store
from lsakit.pipeline import STAGES, load_estimates, run_cycle
from lsakit.pipeline import runners as runners_module
from lsakit.pipeline.plan import LANGUAGE_STAGES, plan_nation, ref_name
from lsakit.pipeline.runners import ChildRunner, revive_error


def again(cycle: Any, path: Path, **changes: Any) -> tuple[Store, Any]:
    """Copy the store of the cycle and run it again with other options."""
    shutil.copytree(cycle.store.path, path)
    store = Store(path)
    moment = datetime.fromisoformat("2027-01-01")
    return store, run_cycle(store, cycle.options.changed(**changes), now=lambda: moment, who="a colleague")


def test_every_stage_left_a_manifest_and_a_name(cycle: Any) -> None:
    expected = [("nation", None), *((stage, 5) for stage in STAGES if stage != "report")]
    expected += [(stage, None) for stage in (*LANGUAGE_STAGES, "report")]
    assert list(cycle.result.manifests) == expected
    assert set(cycle.result.computed) == set(expected)
    for place, manifest_id in cycle.result.manifests.items():
        assert cycle.store.ref(ref_name(place)) == manifest_id
        assert cycle.store.manifest(manifest_id).who == "an expert"
    assert cycle.store.verify() == []


def test_the_second_run_computes_nothing(cycle: Any, tmp_path: Path) -> None:
    store, result = again(cycle, tmp_path / "store")
    assert result.computed == ()
    assert result.manifests == cycle.result.manifests
    assert len(store.manifests()) == len(cycle.store.manifests())


@pytest.mark.long
def test_a_changed_option_computes_what_follows_from_it_alone(cycle: Any, tmp_path: Path) -> None:
    _, result = again(cycle, tmp_path / "store", minimum_students=40)
    reports = {(stage, None) for stage in (*LANGUAGE_STAGES, "report")}
    assert set(result.computed) == {("estimates", 5), *reports}


def test_a_removed_artefact_is_made_again_and_a_changed_one_stops_the_cycle(
    cycle: Any, tmp_path: Path
) -> None:
    shutil.copytree(cycle.store.path, tmp_path / "store")
    store = Store(tmp_path / "store")
    artefact = store.manifest(store.ref("scoring/grade5")).outputs["scored_responses"]
    path = store.path / artefact.file_name
    content = path.read_bytes()
    path.unlink()
    result = run_cycle(store, cycle.options, now=_now(), who="a colleague")
    assert result.manifests == cycle.result.manifests
    assert path.read_bytes() == content
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(LineageError, match=r"scored_responses of step 'scoring'.*was changed"):
        run_cycle(store, cycle.options, now=_now(), who="a colleague")


def _now() -> Any:
    return datetime.fromisoformat("2027-01-01")


def test_a_cancelled_cycle_goes_on_where_it_stopped(cycle: Any, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    def stop(text: str, _share: float) -> None:
        if text.startswith("scoring"):
            raise CancelledError("Stopped by the caller.")

    with pytest.raises(CancelledError):
        run_cycle(store, cycle.options, now=_now(), who="a", progress=stop)
    assert store.verify() == []
    shares: list[float] = []
    result = run_cycle(
        store, cycle.options, now=_now(), who="a", progress=lambda _text, share: shares.append(share)
    )
    assert ("sample", 5) not in result.computed
    assert ("scoring", 5) in result.computed
    assert _hashes(store) == _hashes(cycle.store)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


def _hashes(store: Store) -> dict[str, str]:
    """Hash of every output of the newest run of every stage."""
    found = {}
    for name, manifest_id in store.refs().items():
        for role, artefact in store.manifest(manifest_id).outputs.items():
            found[f"{name}.{role}"] = artefact.hash
    return found


@pytest.mark.long
def test_two_grades_side_by_side_give_the_numbers_of_one_after_the_other(cycle: Any, tmp_path: Path) -> None:
    options = cycle.options.changed(grades=(5, 9))
    store = Store(tmp_path / "store")
    run_cycle(store, options, now=_now(), who="a", n_processes=2)
    mine = {name: value for name, value in _hashes(store).items() if "grade5" in name}
    assert mine == {name: value for name, value in _hashes(cycle.store).items() if "grade5" in name}
    assert load_estimates(store).get_column("population").unique().sort().to_list() == ["grade5", "grade9"]
    run_cycle(store, cycle.options, now=_now(), who="a")
    assert load_estimates(store).get_column("population").unique().to_list() == ["grade5"]


def test_a_store_without_a_cycle_holds_no_estimates(tmp_path: Path) -> None:
    with pytest.raises(LineageError, match=r"holds no estimates.*lsa cycle"):
        load_estimates(Store(tmp_path / "store"))


def test_a_refusal_in_a_child_process_is_a_refusal_here(cycle: Any, tmp_path: Path) -> None:
    child = ChildRunner(Store(tmp_path / "store"), _now, "a")
    planned = plan_nation(cycle.options)
    try:
        request = StepRequest(inputs={}, parameters={**planned.parameters, "size": {"n_provinces": 99}})
        with pytest.raises(DesignError, match=r"must lie between 1 and 34\. Got 99") as refusal:
            child.run("nation", request, lambda _text, _share: None)
        assert refusal.value.param == "n_provinces"
        manifest = child.run(
            "nation", StepRequest(inputs={}, parameters=planned.parameters), lambda _text, _share: None
        )
        assert manifest.outputs["schools"].n_rows is not None
    finally:
        child.close()


def test_a_child_that_is_killed_is_named_and_loses_nothing(
    cycle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = ChildRunner(Store(tmp_path / "store"), _now, "a")

    def kill(_text: str, _share: float) -> None:
        assert child._child is not None
        os.kill(child._child.pid, signal.SIGKILL)

    try:
        planned = plan_nation(cycle.options)
        with pytest.raises(LsakitError, match=r"'nation' ended before it was done.*Run the cycle again"):
            child.run("nation", StepRequest(inputs={}, parameters=planned.parameters), kill)
    finally:
        child.close()
    assert child.store.verify() == []
    assert runners_module.STEPS["nation"].name == "nation"


def test_an_error_comes_back_as_what_it_was() -> None:
    fields = {
        "class": "ConvergenceError",
        "what": "No.",
        "where": ["x"],
        "why": "",
        "hint": "Try.",
        "param": None,
    }
    error = revive_error(fields)
    assert isinstance(error, ConvergenceError)
    assert error.sentence == "No. See: x. Try."
    assert error.state is None


def test_the_numbers_are_those_of_a_survey(cycle: Any) -> None:
    table = load_estimates(cycle.store)
    known = table.filter(pl.col("truth").is_not_null() & pl.col("suppressed_because").is_null())
    covered = (known["truth"] >= known["ci_low"]) & (known["truth"] <= known["ci_high"])
    assert known.height > 300
    assert covered.mean() > 0.85
