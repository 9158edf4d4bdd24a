"""A process that computes steps for another: one job per line comes in, one answer per line goes out.

Started as ``python -m lsakit.pipeline.worker``. It ends when its input ends, so it never outlives the process
that started it by more than the step at hand. Results go into the store; only their manifest's id is answered.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lsakit.errors import LsakitError
from lsakit.lineage import StepRequest, Store, run_step
from lsakit.lineage.hashing import revive

Answer = Callable[[dict[str, Any]], None]
_FIELDS = ("what", "where", "why", "hint", "param")


def do_job(job: dict[str, Any], answer: Answer) -> None:
    """Run one step and answer with progress, then its manifest or its refusal.

    Parameters
    ----------
    job : dict of str to object
        ``store``, ``step``, ``inputs``, ``parameters``, ``seed``, ``now``, ``who``.
    answer : callable
        Takes one message.
    """
    try:
        from lsakit.pipeline.registry import STEPS

        request = StepRequest(inputs=job["inputs"], parameters=revive(job["parameters"]), seed=job["seed"])
        manifest = run_step(
            Store(job["store"], create=False),
            STEPS[job["step"]],
            request,
            now=datetime.fromisoformat(job["now"]),
            who=job["who"],
            progress=lambda text, share: answer({"progress": [text, share]}),
        )
        answer({"manifest": manifest.id})
    except LsakitError as error:
        fields = {name: getattr(error, name) for name in _FIELDS}
        fields["where"] = [str(place) for place in error.where]
        answer({"refused": {**fields, "class": type(error).__name__}})
    except Exception:  # noqa: BLE001 - whatever it is belongs to the process that asked
        answer({"failed": traceback.format_exc()})


def main() -> int:
    """Do jobs until the input ends.

    Returns
    -------
    int
        0.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not look like an answer

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message, ensure_ascii=False) + "\n")
        answers.flush()

    for line in sys.stdin:
        do_job(json.loads(line), answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
