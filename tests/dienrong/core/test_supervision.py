"""The supervisor with small real children."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from dienrong.core import supervision
from dienrong.core.supervision import Child, Supervisor

SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(supervision, "SECONDS_TO_STOP", 1.0)


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    script = f"open({str(marks)!r}, 'a').write('x')"
    child = Child(name="short", command=[sys.executable, "-S", "-c", script])
    tree = Supervisor([child], tick_seconds=0.01)

    def stop_after_three() -> None:
        if marks.exists() and len(marks.read_text()) >= 3:
            tree.stop()

    assert tree.run(on_tick=stop_after_three) == 0
    assert len(marks.read_text()) >= 3


def test_a_vital_child_that_dies_at_once_again_and_again_ends_the_tree() -> None:
    bad = Child(name="bad", command=[sys.executable, "-S", "-c", "raise SystemExit(3)"], is_vital=True)
    good = Child(name="good", command=SLEEP)
    tree = Supervisor([bad, good], tick_seconds=0.01)
    assert tree.run() == 1
    assert tree.failed_child is bad
    assert bad.n_quick_deaths == supervision.QUICK_DEATHS_ALLOWED
    assert good.process is None


def test_all_children_stop_with_the_tree_even_those_that_do_not_listen() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    children = [
        Child(name="deaf", command=[sys.executable, "-S", "-c", deaf]),
        Child(name="good", command=SLEEP),
    ]
    tree = Supervisor(children, tick_seconds=0.01)
    pids: list[int] = []

    def note() -> None:
        pids[:] = [child.process.pid for child in children if child.process is not None]

    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    timer.start()
    started = time.monotonic()
    assert tree.run(on_tick=note) == 0
    assert 1.0 < time.monotonic() - started < 10.0
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_handlers_of_before_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    tree = Supervisor([], tick_seconds=0.01)
    tree.stop()
    tree.run()
    assert signal.getsignal(signal.SIGTERM) is before
