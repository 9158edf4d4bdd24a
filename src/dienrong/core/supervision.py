"""One process tree: children that are watched over, started again when they die, and stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import structlog

from dienrong.core import clock

log = structlog.get_logger(__name__)
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 20.0
SECONDS_TO_STOP = 15.0
QUICK_DEATHS_ALLOWED = 5
PR_SET_PDEATHSIG = 1


@dataclasses.dataclass(slots=True, kw_only=True)
class Child:
    """One child: what it is called, what it runs, and how it has fared."""

    name: str
    command: Sequence[str]
    is_vital: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float | None = 0.0
    n_quick_deaths: int = 0


class Supervisor:
    """Keeps children running until it is told to stop.

    Parameters
    ----------
    children : sequence of Child
        What to run. When a vital child dies ``QUICK_DEATHS_ALLOWED`` times in a row right after its start, the
        whole tree stops with failure; any other child is tried again with growing pauses.
    tick_seconds : float
        Pause between two looks at the children.
    """

    def __init__(self, children: Sequence[Child], *, tick_seconds: float = 0.2) -> None:
        self.children = list(children)
        self.tick_seconds = tick_seconds
        self._stop = threading.Event()
        self.failed_child: Child | None = None

    def stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        """Ask the tree to stop; usable as a signal handler."""
        self._stop.set()

    def run(self, *, on_tick: Callable[[], None] | None = None) -> int:
        """Start the children and watch over them until stopped; give the exit status."""
        previous = {name: signal.signal(name, self.stop) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stop.is_set():
                for child in self.children:
                    self._look_at(child)
                if on_tick is not None:
                    on_tick()
                self._stop.wait(self.tick_seconds)
        finally:
            self._stop_children()
            for name, handler in previous.items():
                signal.signal(name, handler)
        return 1 if self.failed_child is not None else 0

    def _look_at(self, child: Child) -> None:
        """Start a child that should run and note one that died."""
        now = clock.monotonic_seconds()
        if child.process is None:
            if child.start_again_at is not None and now >= child.start_again_at:
                child.process, child.started_at = _start(child.command), now
                log.info("started", child=child.name, pid=child.process.pid)
            return
        status = child.process.poll()
        if status is None:
            return
        lived = now - child.started_at
        child.process = None
        child.n_quick_deaths = child.n_quick_deaths + 1 if lived < HEALTHY_AFTER_SECONDS else 1
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (child.n_quick_deaths - 1), LONGEST_PAUSE_SECONDS)
        child.start_again_at = now + pause
        log.warning(
            "died", child=child.name, status=status, lived_seconds=round(lived, 1), again_in_seconds=pause
        )
        if child.is_vital and child.n_quick_deaths >= QUICK_DEATHS_ALLOWED:
            log.error("dies again and again; giving up", child=child.name)
            self.failed_child = child
            self._stop.set()

    def _stop_children(self) -> None:
        """Ask every child to stop, wait, and kill those that do not."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()  # type: ignore[union-attr]
        deadline = clock.monotonic_seconds() + SECONDS_TO_STOP
        for child in running:
            left = max(0.1, deadline - clock.monotonic_seconds())
            try:
                child.process.wait(timeout=left)  # type: ignore[union-attr]
            except subprocess.TimeoutExpired:
                log.warning("did not stop in time; killed", child=child.name)
                child.process.kill()  # type: ignore[union-attr]
                child.process.wait()  # type: ignore[union-attr]
            child.process = None


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the supervisor alone."""
    if sys.platform != "linux":
        return subprocess.Popen(command, start_new_session=os.name == "posix")  # noqa: S603 - our own command
    return subprocess.Popen(  # noqa: S603 - our own command
        command, start_new_session=True, preexec_fn=_die_with_parent
    )


def _die_with_parent() -> None:
    """Ask Linux to stop this child should the supervisor be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
