"""Where a step is computed: in this process, or in a child so that two grades use two cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from lsakit import errors
from lsakit.errors import LsakitError
from lsakit.lineage import Manifest, Progress, StepRequest, Store, run_step
from lsakit.lineage.hashing import plain
from lsakit.lineage.steps import cached_run, step_key
from lsakit.pipeline.registry import STEPS

Clock = Callable[[], datetime]
_SINGLE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Runner(Protocol):
    """Something that runs a step by its name."""

    def run(self, step: str, request: StepRequest, progress: Progress) -> Manifest:
        """Run a step, or reuse the run that the store holds."""

    def close(self) -> None:
        """Let go of what it holds."""


class LocalRunner:
    """Compute steps in this process.

    Parameters
    ----------
    store : Store
        The store.
    clock : callable
        Gives the moment.
    who : str
        Who started the cycle.
    """

    def __init__(self, store: Store, clock: Clock, who: str) -> None:
        self.store = store
        self.clock = clock
        self.who = who

    def run(self, step: str, request: StepRequest, progress: Progress) -> Manifest:
        """Run a step here.

        Parameters
        ----------
        step : str
            Name of the step.
        request : StepRequest
            Inputs, parameters and seed.
        progress : callable
            Takes a text and a share.

        Returns
        -------
        Manifest
            The run.
        """
        return run_step(self.store, STEPS[step], request, now=self.clock(), who=self.who, progress=progress)

    def close(self) -> None:
        """Hold nothing."""


class ChildRunner:
    """Compute steps in a child process, started when the first one must be computed.

    Parameters
    ----------
    store : Store
        The store.
    clock : callable
        Gives the moment.
    who : str
        Who started the cycle.
    """

    def __init__(self, store: Store, clock: Clock, who: str) -> None:
        self.store = store
        self.clock = clock
        self.who = who
        self._child: subprocess.Popen[str] | None = None

    def run(self, step: str, request: StepRequest, progress: Progress) -> Manifest:
        """Run a step in the child, unless the store holds the run.

        Parameters
        ----------
        step : str
            Name of the step.
        request : StepRequest
            Inputs, parameters and seed.
        progress : callable
            Takes a text and a share.

        Returns
        -------
        Manifest
            The run.

        Raises
        ------
        LsakitError
            If the step refuses, or the child ended before it answered.
        """
        kept = cached_run(self.store, step_key(STEPS[step], request))
        if kept is not None:
            progress(f"{step}: unchanged", 1.0)
            return kept
        child = self._started()
        job = {
            "store": str(self.store.path.resolve()),
            "step": step,
            "inputs": dict(request.inputs),
            "parameters": plain(request.parameters),
            "seed": request.seed,
            "now": self.clock().isoformat(),
            "who": self.who,
        }
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(job, ensure_ascii=False) + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            raise self._ended(step) from None
        return self.store.manifest(self._listen(child, step, progress))

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()

    def _started(self) -> subprocess.Popen[str]:
        """Start the child once."""
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "lsakit.pipeline.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env={**os.environ, **dict.fromkeys(_SINGLE_THREAD, "1"), "PYTHONUTF8": "1"},
            )
        return self._child

    def _listen(self, child: subprocess.Popen[str], step: str, progress: Progress) -> str:
        """Pass progress on until the child answers; give the manifest's id."""
        assert child.stdout is not None
        for line in child.stdout:
            message = json.loads(line)
            if "progress" in message:
                progress(*message["progress"])
            elif "refused" in message:
                raise revive_error(message["refused"])
            elif "failed" in message:
                raise RuntimeError(f"The step {step!r} failed in its process:\n{message['failed']}")
            else:
                return str(message["manifest"])
        raise self._ended(step)

    def _ended(self, step: str) -> LsakitError:
        """Say that the child ended without an answer."""
        code = self._child.wait() if self._child is not None else None
        return LsakitError(
            f"The process that computed the step {step!r} ended before it was done (exit status {code}).",
            why="It was stopped from outside, or the machine ran out of memory.",
            hint="Run the cycle again: the stages that are done are kept.",
            param="step",
            got=step,
        )


def revive_error(fields: dict[str, Any]) -> LsakitError:
    """Make the refusal of a child process a refusal here.

    Parameters
    ----------
    fields : dict of str to object
        Its class and sentences.

    Returns
    -------
    LsakitError
        The same refusal; the state that a convergence error carries stays behind.
    """
    known = getattr(errors, str(fields.pop("class")), LsakitError)
    error: LsakitError = known.__new__(known)
    LsakitError.__init__(error, fields.pop("what"), **fields)
    if isinstance(error, errors.ConvergenceError):
        error.state = None
    return error
