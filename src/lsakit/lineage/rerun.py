"""Recompute a manifest and say whether the numbers are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lsakit.errors import LineageError
from lsakit.io.canonical import ColumnDifference, is_table, table_differences, table_digest
from lsakit.lineage.hashing import hash_bytes, hash_parameters, plain
from lsakit.lineage.manifests import Artefact, Manifest, software_versions
from lsakit.lineage.steps import Progress, Step, StepCall, _silent, call_step
from lsakit.lineage.store import Store

TOLERANCE = 1e-12
_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputComparison:
    """One output, kept against recomputed.

    Parameters
    ----------
    role : str
        Role of the output.
    verdict : str
        ``"identical"``, ``"equal"`` (to the tolerance) or ``"different"``.
    largest : float
        Largest difference relative to max(1, |value|), dimensionless.
    sentences : tuple of str
        Where and what, the first places.
    """

    role: str
    verdict: str
    largest: float = 0.0
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RerunReport:
    """What a recomputation found.

    Parameters
    ----------
    manifest_id : str
        The manifest that was recomputed.
    step : str
        Its step.
    outputs : tuple of OutputComparison
        One entry per output.
    software : tuple of str
        Software that is not the recorded one, in words; it explains last digits.
    """

    manifest_id: str
    step: str
    outputs: tuple[OutputComparison, ...]
    software: tuple[str, ...] = field(default=())

    @property
    def identical(self) -> bool:
        """Whether every output has the same hash as before."""
        return all(output.verdict == "identical" for output in self.outputs)

    @property
    def verdict(self) -> str:
        """``"identical"``, ``"equal"`` or ``"different"``: the worst of the outputs."""
        found = {output.verdict for output in self.outputs}
        return next((word for word in ("different", "equal") if word in found), "identical")

    @property
    def differences(self) -> tuple[str, ...]:
        """What differs, as sentences; empty when identical."""
        return tuple(f"{output.role}: {text}" for output in self.outputs for text in output.sentences)

    @property
    def sentence(self) -> str:
        """The result in one sentence."""
        if self.identical:
            return f"{self.step}: identical ({len(self.outputs)} outputs)."
        if self.verdict == "equal":
            return f"{self.step}: equal to {TOLERANCE:g}; {self.differences[0]}."
        return f"{self.step}: different; {self.differences[0]}."


def rerun(
    store: Store, manifest_id: str, *, steps: Mapping[str, Step], progress: Progress | None = None
) -> RerunReport:
    """Recompute a kept run from its kept inputs; nothing is written.

    Parameters
    ----------
    store : Store
        The store.
    manifest_id : str
        Id of the manifest, or the start of it.
    steps : Mapping of str to Step
        Known steps by name, such as ``lsakit.pipeline.STEPS``.
    progress : callable, optional
        Takes a text and a share between 0 and 1.

    Returns
    -------
    RerunReport
        Identical; or equal to 1e-12 and where; or what differs.

    Raises
    ------
    LineageError
        If the step is unknown or has another version today, or an input or output is missing or changed.
    """
    manifest = store.manifest(manifest_id)
    inputs = {role: store.load(value_hash) for role, value_hash in manifest.inputs.items()}
    kept = {role: store.load(artefact.hash) for role, artefact in manifest.outputs.items()}
    return recompute(manifest, inputs, kept, steps=steps, progress=progress)


def recompute(
    manifest: Manifest,
    inputs: Mapping[str, Any],
    kept: Mapping[str, Any],
    *,
    steps: Mapping[str, Step],
    progress: Progress | None = None,
) -> RerunReport:
    """Recompute a run whose inputs and outputs are already read.

    Parameters
    ----------
    manifest : Manifest
        The run.
    inputs : Mapping of str to object
        Its inputs by role.
    kept : Mapping of str to object
        Its outputs as kept, by role.
    steps : Mapping of str to Step
        Known steps by name.
    progress : callable, optional
        Takes a text and a share between 0 and 1.

    Returns
    -------
    RerunReport
        The comparison.

    Raises
    ------
    LineageError
        If the step is unknown or has another version today.
    """
    step = steps.get(manifest.step)
    if step is None or step.version != manifest.step_version:
        today = "is unknown" if step is None else f"has version {step.version} today"
        raise LineageError(
            f"The manifest {manifest.id[:12]} was made by version {manifest.step_version} of the step "
            f"{manifest.step!r}, which {today}.",
            hint=f"Install the software it records: lsakit {manifest.software.get('lsakit', '?')}.",
            param="step",
            got=manifest.step,
        )
    call = StepCall(
        inputs=inputs, parameters=manifest.parameters, seed=manifest.seed, progress=progress or _silent
    )
    made = call_step(step, call)
    return RerunReport(
        manifest_id=manifest.id,
        step=manifest.step,
        outputs=compare_outputs(manifest.outputs, kept, made),
        software=_software_changes(manifest.software),
    )


def compare_outputs(
    records: Mapping[str, Artefact], kept: Mapping[str, Any], made: Mapping[str, Any]
) -> tuple[OutputComparison, ...]:
    """Compare outputs by role.

    Parameters
    ----------
    records : Mapping of str to Artefact
        Records of the kept outputs.
    kept : Mapping of str to object
        The kept outputs.
    made : Mapping of str to object
        The recomputed ones.

    Returns
    -------
    tuple of OutputComparison
        One entry per role of either.
    """
    found = []
    for role in dict.fromkeys((*records, *made)):
        if role not in made or role not in records:
            side = "recomputed" if role in made else "kept"
            found.append(OutputComparison(role=role, verdict="different", sentences=(f"only {side}",)))
        else:
            found.append(_compare_output(role, records[role], kept[role], made[role]))
    return tuple(found)


def _compare_output(role: str, record: Artefact, kept: Any, made: Any) -> OutputComparison:
    """Compare one output: by hash first, by values when the hashes differ."""
    if record.kind == "file":
        return _compare_files(role, record, made)
    if record.kind == "table":
        if is_table(made) and table_digest(made).hash == record.hash:
            return OutputComparison(role=role, verdict="identical")
        return _judge(role, table_differences(kept, made)) if is_table(made) else _other_kind(role)
    if is_table(made) or isinstance(made, bytes):
        return _other_kind(role)
    if hash_parameters(made) == record.hash:
        return OutputComparison(role=role, verdict="identical")
    return _judge(role, _parameter_differences(plain(kept), plain(made), ""), noun="value")


def _other_kind(role: str) -> OutputComparison:
    """Say that the recomputed output is not even of the same kind."""
    return OutputComparison(role=role, verdict="different", sentences=("another kind of output",))


def _compare_files(role: str, record: Artefact, made: Any) -> OutputComparison:
    """Compare a kept file with a recomputed one by their bytes."""
    if isinstance(made, bytes) and hash_bytes(made) == record.hash:
        return OutputComparison(role=role, verdict="identical")
    size = len(made) if isinstance(made, bytes) else 0
    text = f"the file has other bytes ({record.n_bytes} kept, {size} recomputed)"
    return OutputComparison(role=role, verdict="different", largest=float("inf"), sentences=(text,))


def _judge(role: str, differences: tuple[ColumnDifference, ...], *, noun: str = "column") -> OutputComparison:
    """Turn differences into a verdict with sentences, the largest first."""
    largest = max((difference.largest for difference in differences), default=0.0)
    verdict = "equal" if largest <= TOLERANCE else "different"
    ordered = sorted(differences, key=lambda difference: -difference.largest)
    return OutputComparison(
        role=role,
        verdict=verdict,
        largest=largest,
        sentences=tuple(_sentence(difference, noun) for difference in ordered[:_MOST]),
    )


def _sentence(difference: ColumnDifference, noun: str) -> str:
    """Say where a column differs."""
    name = f"{noun} {difference.column!r}" if difference.column else "the table"
    if difference.sentence:
        return f"{name}: {difference.sentence}"
    triples = zip(difference.rows, difference.left, difference.right, strict=True)
    places = "; ".join(f"row {row}: {left!r} kept, {right!r} recomputed" for row, left, right in triples)
    size = f", at most {difference.largest:.1e} relative" if difference.largest < float("inf") else ""
    return f"{name} differs in {difference.n_rows} rows{size} ({places})"


def _parameter_differences(kept: Any, made: Any, where: str) -> tuple[ColumnDifference, ...]:
    """Compare nested parameters leaf by leaf."""
    if isinstance(kept, dict) and isinstance(made, dict):
        found: list[ColumnDifference] = []
        for key in sorted({*kept, *made}):
            found += _parameter_differences(kept.get(key), made.get(key), f"{where}.{key}".lstrip("."))
        return tuple(found)
    if isinstance(kept, list) and isinstance(made, list) and len(kept) == len(made):
        pairs = enumerate(zip(kept, made, strict=True))
        nested = (_parameter_differences(a, b, f"{where}[{index}]") for index, (a, b) in pairs)
        return tuple(difference for part in nested for difference in part)
    if type(kept) is type(made) and kept == made:
        return ()
    size = float("inf")
    if isinstance(kept, float) and isinstance(made, float):
        size = abs(kept - made) / max(1.0, abs(kept), abs(made))
    text = f"{kept!r} kept, {made!r} recomputed"
    return (ColumnDifference(column=where, n_rows=1, largest=size, sentence=text),)


def _software_changes(recorded: Mapping[str, str]) -> tuple[str, ...]:
    """Name the software that is not the recorded one."""
    today = software_versions()
    names = sorted({*recorded, *today})
    return tuple(
        f"{name} {recorded.get(name, 'absent')} then, {today.get(name, 'absent')} now"
        for name in names
        if recorded.get(name) != today.get(name)
    )
