"""Run a step once: the same inputs, parameters and seed are never computed twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from threadpoolctl import threadpool_limits

from lsakit.errors import LineageError
from lsakit.lineage.hashing import hash_parameters, plain
from lsakit.lineage.manifests import Artefact, Manifest, new_manifest, software_versions
from lsakit.lineage.store import Store

Progress = Callable[[str, float], None]


def _silent(_text: str, _share: float) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRequest:
    """What a run is asked for; with the step's name and version it makes the key.

    Parameters
    ----------
    inputs : Mapping of str to str
        Hash of each input by role.
    parameters : Mapping of str to object
        Parameters.
    seed : int or None
        Seed of all random streams.
    """

    inputs: Mapping[str, str]
    parameters: Mapping[str, Any]
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """What a step receives.

    Parameters
    ----------
    inputs : Mapping of str to object
        Tables and parameters by role.
    parameters : Mapping of str to object
        Parameters.
    seed : int or None
        Seed from which the step opens its named random streams.
    progress : callable
        Takes a text and a share between 0 and 1.
    """

    inputs: Mapping[str, Any]
    parameters: Mapping[str, Any]
    seed: int | None
    progress: Progress = _silent

    @property
    def required_seed(self) -> int:
        """The seed of a step that draws at random; refused when absent."""
        if self.seed is None:
            raise LineageError(
                "This step draws at random and got no seed.",
                why="Without a seed it could not be repeated.",
                hint="Pass seed=2026 or another whole number.",
                param="seed",
            )
        return self.seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stage as a pure function with a name and a version.

    Parameters
    ----------
    name : str
        Name, as manifests record it.
    version : int
        Raised whenever the same inputs give other numbers on purpose.
    title : str
        What it does, in a few words.
    run : callable
        Takes a :class:`StepCall` and returns outputs by role: data frames are kept as tables, bytes as files,
        anything else as parameters.
    inputs : tuple of str
        Roles that must be given.
    optional_inputs : tuple of str
        Roles that may be given.
    outputs : tuple of str
        Roles that come out.
    """

    name: str
    version: int
    title: str
    run: Callable[[StepCall], Mapping[str, Any]]
    inputs: tuple[str, ...] = ()
    optional_inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def step_key(step: Step, request: StepRequest) -> str:
    """Name a run before it is made.

    Parameters
    ----------
    step : Step
        The step.
    request : StepRequest
        Inputs, parameters and seed.

    Returns
    -------
    str
        Hash of name, version, inputs, parameters and seed.
    """
    return hash_parameters(
        {
            "step": step.name,
            "version": step.version,
            "inputs": dict(request.inputs),
            "parameters": request.parameters,
            "seed": request.seed,
        }
    )


def call_step(step: Step, call: StepCall) -> dict[str, Any]:
    """Compute a step and check that it takes and gives the roles it declares.

    Parameters
    ----------
    step : Step
        The step.
    call : StepCall
        Inputs, parameters, seed and progress.

    Returns
    -------
    dict of str to object
        Outputs by role.

    Raises
    ------
    LineageError
        If an input is absent or unknown, or an output is not what was declared.
    """
    absent = [role for role in step.inputs if role not in call.inputs]
    unknown = [role for role in call.inputs if role not in (*step.inputs, *step.optional_inputs)]
    if absent or unknown:
        raise LineageError(
            f"The step {step.name!r} {'needs the input' if absent else 'knows no input'} "
            f"{(absent or unknown)[0]!r}.",
            hint=f"Its inputs are: {', '.join((*step.inputs, *step.optional_inputs)) or 'none'}.",
            param=(absent or unknown)[0],
        )
    with threadpool_limits(1, user_api="blas"):  # sums in one order: the same bits on one core and on many
        outputs = dict(step.run(call))
    if step.outputs and set(outputs) != set(step.outputs):
        raise LineageError(
            f"The step {step.name!r} gave {sorted(outputs)} where it declares {sorted(step.outputs)}.",
            hint="Correct the step's list of outputs and raise its version.",
            param="outputs",
        )
    return outputs


def make_manifest(
    step: Step, request: StepRequest, outputs: Mapping[str, Artefact], *, now: datetime, who: str
) -> tuple[Manifest, bytes]:
    """Record a run.

    Parameters
    ----------
    step : Step
        The step.
    request : StepRequest
        Its inputs, parameters and seed.
    outputs : Mapping of str to Artefact
        What came out.
    now : datetime
        Moment of the run.
    who : str
        Who started it.

    Returns
    -------
    manifest : Manifest
        The manifest.
    content : bytes
        Its file.
    """
    return new_manifest(
        step=step.name,
        step_version=step.version,
        key=step_key(step, request),
        inputs=dict(request.inputs),
        parameters=plain(request.parameters),
        seed=request.seed,
        software=software_versions(),
        outputs=dict(outputs),
        created_at=now.isoformat(timespec="seconds"),
        who=who,
    )


def cached_run(store: Store, key: str) -> Manifest | None:
    """Find a kept run whose artefacts are all there and whole.

    Parameters
    ----------
    store : Store
        The store.
    key : str
        Key of the run.

    Returns
    -------
    Manifest or None
        The run, or None when it must be computed: it never was, or an artefact is missing.

    Raises
    ------
    LineageError
        If an artefact of it was changed: silently making it again would hide that.
    """
    manifest = store.find(key)
    if manifest is None:
        return None
    states = {role: store.state(artefact) for role, artefact in manifest.outputs.items()}
    for role, state in states.items():
        if state == "changed":
            raise LineageError(
                f"The artefact {manifest.outputs[role].file_name} ({role} of step {manifest.step!r}) was "
                "changed after it was written.",
                why="A number that rests on it could no longer be traced.",
                hint="Restore the file from a copy, or remove it and run again: the step makes it anew.",
                param=role,
                got=manifest.id,
            )
    return None if "missing" in states.values() else manifest


def run_step(
    store: Store,
    step: Step,
    request: StepRequest,
    *,
    now: datetime,
    who: str,
    progress: Progress | None = None,
) -> Manifest:
    """Run a step, or reuse the run that the store already holds.

    Parameters
    ----------
    store : Store
        Where inputs lie and outputs go.
    step : Step
        The step.
    request : StepRequest
        Hash of each input by role, parameters and seed.
    now : datetime
        Moment of the run, given by the caller.
    who : str
        Who started it.
    progress : callable, optional
        Takes a text and a share between 0 and 1; may raise :class:`~lsakit.errors.CancelledError`.

    Returns
    -------
    Manifest
        The kept run. When the values come out as before, the earlier manifest stays.

    Raises
    ------
    LineageError
        If an input is missing or changed, or a kept output was changed.

    Examples
    --------
    >>> import tempfile
    >>> double = Step(
    ...     name="double", version=1, title="twice", run=lambda call: {"y": 2 * call.parameters["x"]}
    ... )
    >>> store = Store(tempfile.mkdtemp())
    >>> manifest = run_step(
    ...     store,
    ...     double,
    ...     StepRequest(inputs={}, parameters={"x": 21}),
    ...     now=datetime(2026, 11, 22),
    ...     who="an expert",
    ... )
    >>> store.parameters(manifest.outputs["y"].hash)
    42
    """
    report = progress or _silent
    key = step_key(step, request)
    kept = cached_run(store, key)
    if kept is not None:
        report(f"{step.name}: unchanged", 1.0)
        return kept
    report(f"{step.name}: {step.title}", 0.0)
    loaded = {role: store.load(value_hash) for role, value_hash in request.inputs.items()}
    call = StepCall(inputs=loaded, parameters=request.parameters, seed=request.seed, progress=report)
    outputs = {role: store.put(value) for role, value in call_step(step, call).items()}
    earlier = store.find(key)
    if earlier is not None and dict(earlier.outputs) == outputs:
        return earlier
    manifest, content = make_manifest(step, request, outputs, now=now, who=who)
    store.put_manifest(manifest, content)
    report(f"{step.name}: done", 1.0)
    return manifest
