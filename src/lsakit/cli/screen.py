"""What a person sees while a command works, and the readings of the real world: clock and name."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

Progress = Callable[[str, float], None]
_ROWS, _WIDTH, _UPRIGHT = 12, 60, 6


def moment() -> datetime:
    """Read the clock; commands alone may.

    Returns
    -------
    datetime
        Now, in UTC.
    """
    return datetime.now(UTC)  # noqa: TID251 - a command is where the real clock is read


def person() -> str:
    """Say who is at work.

    Returns
    -------
    str
        ``LSA_WHO`` from the environment, or the name of the account.
    """
    given = os.environ.get("LSA_WHO")
    if given:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


@contextmanager
def progress_line() -> Iterator[Progress]:
    """Show progress on the error stream: a moving bar on a terminal, a line per step elsewhere.

    Yields
    ------
    callable
        Takes a text and a share between 0 and 1.
    """
    if not sys.stderr.isatty():
        yield _line_per_step()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda text, share: bar.update(task, completed=share, description=text)


def _line_per_step() -> Progress:
    """Write one line when the first words of the text change."""
    said: list[str] = []

    def report(text: str, _share: float) -> None:
        step = text.partition(" · ")[0] if " · " in text else text.partition(":")[0]
        if said[-1:] != [step] and not step.startswith("step "):
            said.append(step)
            sys.stderr.write(f"… {step}\n")

    return report


def show_table(table: Any, *, title: str = "") -> None:
    """Show the first rows of a table.

    Parameters
    ----------
    table : polars.DataFrame
        The table.
    title : str, default ""
        Title above it.
    """
    from rich.console import Console
    from rich.table import Table

    if table.height == 1 and len(table.columns) > _UPRIGHT:
        _show_upright(table)
        return
    shown = Table(title=title or None, show_edge=False, pad_edge=False)
    for name in table.columns:
        shown.add_column(str(name), overflow="fold", max_width=_WIDTH)
    for row in table.head(_ROWS).rows():
        shown.add_row(*(_cell(value) for value in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(shown)
    if table.height > _ROWS:
        console.print(f"… {table.height - _ROWS} rows more")


def _show_upright(table: Any) -> None:
    """Show one wide row as a list of names and values."""
    width = max(len(name) for name in table.columns)
    for name, value in table.row(0, named=True).items():
        sys.stdout.write(f"   {name:<{width}}  {_cell(value)}\n")


def _cell(value: object) -> str:
    """Write one value."""
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def say(text: str) -> None:
    """Write a line for a person.

    Parameters
    ----------
    text : str
        The line.
    """
    sys.stdout.write(text + "\n")
