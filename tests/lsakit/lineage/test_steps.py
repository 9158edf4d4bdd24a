"""A run is made once, recorded whole, and can be made again."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from lsakit.errors import CancelledError, LineageError
from lsakit.lineage import Step, StepCall, StepRequest, Store, ancestry, rerun, run_step, step_key

NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)


def test_a_manifest_says_how_a_result_was_made(chain: Any) -> None:
    manifest = chain.store.manifest(chain.manifests["summarise"].id)
    assert manifest.inputs == {"scores": chain.manifests["draw"].outputs["scores"].hash}
    assert (manifest.step, manifest.step_version, manifest.who) == ("summarise", 1, "an expert")
    assert manifest.created_at == "2026-11-22T08:30:00+00:00"
    assert set(manifest.software) == {"lsakit", "python", "numpy", "scipy", "numba", "polars", "platform"}
    assert chain.manifests["draw"].seed == 7
    assert chain.manifests["draw"].parameters == {"n": 50}


def test_the_same_run_is_not_made_twice(chain: Any) -> None:
    calls = []

    def count(call: StepCall) -> dict[str, Any]:
        calls.append(call.seed)
        return {"n": {"n": 1}}

    step = Step(name="count", version=1, title="count", run=count)
    request = StepRequest(inputs={}, parameters={"a": 1}, seed=1)
    first = run_step(chain.store, step, request, now=NOW, who="a")
    again = run_step(chain.store, step, request, now=NOW.replace(year=2027), who="b")
    assert again == first
    assert len(calls) == 1
    others = [
        dataclasses.replace(request, seed=2),
        dataclasses.replace(request, parameters={"a": 2}),
    ]
    for other in others:
        assert run_step(chain.store, step, other, now=NOW, who="a").id != first.id
    newer = dataclasses.replace(step, version=2)
    assert step_key(newer, request) != step_key(step, request)
    assert len(calls) == 3


def test_a_missing_artefact_is_made_again_and_a_changed_one_is_refused(chain: Any) -> None:
    store, manifest = chain.store, chain.manifests["draw"]
    path = store.path / manifest.outputs["scores"].file_name
    before = path.read_bytes()
    path.unlink()
    assert chain.run("draw", {}, seed=7, n=50) == manifest
    assert path.read_bytes() == before
    path.write_bytes(before[:-1] + b"\0")
    with pytest.raises(LineageError, match=r"scores of step 'draw'.*was changed"):
        chain.run("draw", {}, seed=7, n=50)


def test_a_cancelled_run_leaves_no_manifest(chain: Any) -> None:
    def stop(_text: str, _share: float) -> None:
        raise CancelledError("The caller asked to stop.")

    def work(call: StepCall) -> dict[str, Any]:
        call.progress("half", 0.5)
        return {}

    before = len(chain.store.manifests())
    step = Step(name="long", version=1, title="long", run=work)
    with pytest.raises(CancelledError):
        run_step(chain.store, step, StepRequest(inputs={}, parameters={}), now=NOW, who="a", progress=stop)
    assert len(chain.store.manifests()) == before


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("summarise", {}, "needs the input 'scores'"),
        ("draw", {"frame": "scores"}, "knows no input 'frame'"),
    ],
)
def test_wrong_inputs_are_refused(chain: Any, name: str, inputs: dict[str, str], words: str) -> None:
    hashes = dict.fromkeys(inputs, chain.manifests["draw"].outputs["scores"].hash)
    with pytest.raises(LineageError, match=words):
        chain.run(name, hashes, seed=1, n=3)


def test_a_step_that_draws_needs_a_seed(chain: Any) -> None:
    with pytest.raises(LineageError, match="got no seed"):
        chain.run("draw", {}, n=3)


def test_an_undeclared_output_is_refused(chain: Any) -> None:
    step = Step(name="odd", version=1, title="odd", run=lambda _call: {"b": {}}, outputs=("a",))
    with pytest.raises(LineageError, match=r"gave \['b'\] where it declares \['a'\]"):
        run_step(chain.store, step, StepRequest(inputs={}, parameters={}), now=NOW, who="a")


def test_the_walk_back_ends_at_the_first_step(chain: Any) -> None:
    walk = ancestry(chain.store, chain.manifests["publish"].id)
    assert [manifest.step for manifest in walk] == ["publish", "summarise", "draw"]


@pytest.mark.parametrize("earlier", ["draw", "pass"])
def test_a_run_that_hands_an_input_on_is_not_taken_for_its_maker(tmp_path: Any, earlier: str) -> None:
    """In one second either manifest may come first by its id: half of the walks ended after one step, at "pass"."""
    store = Store(tmp_path / "store")
    draw = Step(
        name="draw", version=1, title="draw", run=lambda _call: {"scores": pl.DataFrame({"x": [1, 2]})}
    )
    hand_on = Step(
        name="pass", version=1, title="pass", run=lambda call: dict(call.inputs), inputs=("scores",)
    )
    moments = {"draw": NOW, "pass": NOW.replace(year=NOW.year - (1 if earlier == "pass" else -1))}
    first = run_step(store, draw, StepRequest(inputs={}, parameters={}), now=moments["draw"], who="a")
    request = StepRequest(inputs={"scores": first.outputs["scores"].hash}, parameters={})
    last = run_step(store, hand_on, request, now=moments["pass"], who="a")
    assert [manifest.step for manifest in ancestry(store, last.id)] == ["pass", "draw"]


def test_a_walk_can_end_at_what_was_put_in_from_outside(tmp_path: Any) -> None:
    store = Store(tmp_path / "store")
    kept = store.put_file(b"as it came")
    size = Step(
        name="size",
        version=1,
        title="size",
        run=lambda call: {"n": {"n": len(call.inputs["file"])}},
        inputs=("file",),
    )
    request = StepRequest(inputs={"file": kept.hash}, parameters={})
    run = run_step(store, size, request, now=NOW, who="a")
    with pytest.raises(LineageError, match="was made by no run"):
        ancestry(store, run.id)
    assert [manifest.step for manifest in ancestry(store, run.id, outside="leave")] == ["size"]


@pytest.mark.parametrize("name", ["draw", "summarise", "publish"])
def test_every_run_is_identical_when_made_again(chain: Any, name: str) -> None:
    files = sorted(path for path in chain.store.path.rglob("*"))
    report = rerun(chain.store, chain.manifests[name].id, steps=chain.steps)
    assert report.identical
    assert report.verdict == "identical"
    assert report.differences == ()
    assert "identical" in report.sentence
    assert sorted(path for path in chain.store.path.rglob("*")) == files


def test_last_digits_are_equal_and_their_place_is_named(chain: Any) -> None:
    def nudged(call: StepCall) -> dict[str, Any]:
        table = chain.steps["draw"].run(call)["scores"]
        score = table["score"].to_numpy().copy()
        score[16] = np.nextafter(score[16], np.inf)
        return {"scores": table.with_columns(score=score)}

    steps = {**chain.steps, "draw": dataclasses.replace(chain.steps["draw"], run=nudged)}
    report = rerun(chain.store, chain.manifests["draw"].id, steps=steps)
    assert not report.identical
    assert report.verdict == "equal"
    assert "equal to 1e-12" in report.sentence
    assert "column 'score' differs in 1 rows" in report.differences[0]
    assert "row 17:" in report.differences[0]


def test_other_values_are_different_and_their_place_is_named(chain: Any) -> None:
    def other(call: StepCall) -> dict[str, Any]:
        table = chain.steps["draw"].run(call)["scores"]
        return {
            "scores": table.with_columns(
                pl.when(pl.col("id") == "s4").then(pl.lit("x")).otherwise("id").alias("id")
            )
        }

    steps = {**chain.steps, "draw": dataclasses.replace(chain.steps["draw"], run=other)}
    report = rerun(chain.store, chain.manifests["draw"].id, steps=steps)
    assert report.verdict == "different"
    assert report.differences == ("scores: column 'id' differs in 1 rows (row 5: 's4' kept, 'x' recomputed)",)


@pytest.mark.parametrize(
    ("step", "output", "words"),
    [
        ("summarise", {"summary": {"mean": 1.0, "n": 50}}, "value 'mean': .* kept, 1.0 recomputed"),
        ("publish", {"report": b"other"}, "the file has other bytes"),
        ("summarise", {"summary": pl.DataFrame({"mean": [1.0]})}, "another kind of output"),
        ("draw", {"scores": pl.DataFrame({"id": ["s0"], "score": [1.0]})}, "50 rows against 1"),
        ("draw", {"scores": {"a": 1}}, "another kind of output"),
    ],
)
def test_every_kind_of_difference_has_words(
    chain: Any, step: str, output: dict[str, Any], words: str
) -> None:
    steps = {**chain.steps, step: dataclasses.replace(chain.steps[step], run=lambda _call: output)}
    report = rerun(chain.store, chain.manifests[step].id, steps=steps)
    assert report.verdict == "different"
    assert re.search(words, report.differences[0]), report.differences


def test_a_step_of_another_version_is_not_compared(chain: Any) -> None:
    steps = {**chain.steps, "draw": dataclasses.replace(chain.steps["draw"], version=2)}
    with pytest.raises(LineageError, match="version 1 of the step 'draw', which has version 2 today"):
        rerun(chain.store, chain.manifests["draw"].id, steps=steps)
    with pytest.raises(LineageError, match="is unknown"):
        rerun(chain.store, chain.manifests["draw"].id, steps={})
