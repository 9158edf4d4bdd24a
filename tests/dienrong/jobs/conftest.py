"""Kinds of job that exist in these tests alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dienrong.core.refusals import Refusal
from dienrong.jobs import kinds
from dienrong.jobs.running import JobContext, worker_stopping


@pytest.fixture(autouse=True)
def test_kinds(monkeypatch) -> None:
    """Declare a few kinds of work for the time of one test."""
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))

    @kinds.job("tests.sum", title="Tính tổng")
    def add(context: JobContext, first: int = 1, second: int = 2) -> dict[str, int]:
        context.progress("Cộng", 0.5)
        context.log(f"{first} + {second}")
        return {"sum": first + second}

    @kinds.job("tests.refuse", title="Từ chối")
    def refuse(context: JobContext) -> None:
        raise Refusal("Mô hình không hội tụ.", hint="")

    @kinds.job("tests.break", title="Hỏng")
    def fail(context: JobContext) -> None:
        raise ZeroDivisionError("1/0 hunter2")

    @kinds.job("tests.analysis", title="Phân tích thử", permission="run_analysis")
    def analyse(context: JobContext) -> None:
        context.progress("x", 0.1)

    @kinds.job("tests.call", title="Gọi hàm")
    def call(context: JobContext) -> None:
        CALLS[0](context)


CALLS: list[Callable[[JobContext], None]] = [lambda context: None]


@pytest.fixture
def during() -> Callable[[Callable[[JobContext], None]], None]:
    """Say what happens inside the next job of kind ``tests.call``."""

    def say(action: Callable[[JobContext], None]) -> None:
        CALLS[0] = action

    return say


@pytest.fixture(autouse=True)
def no_worker_is_stopping():
    """Leave no stop signal behind."""
    worker_stopping.clear()
    yield
    worker_stopping.clear()
