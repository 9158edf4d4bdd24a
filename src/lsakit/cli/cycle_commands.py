"""Commands that run several stages: the synthetic nation as files, the whole cycle, the real-data comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lsakit.cli.screen import moment, person, progress_line, say, show_table
from lsakit.cli.stage_commands import TableFormat, run_stage

_DECIMALS = 4


def add_cycle_commands(app: typer.Typer) -> None:
    """Add the commands.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    app.command("nation")(nation)
    app.command("cycle")(cycle)
    app.command("compare")(compare)


def nation(
    size: Annotated[str, typer.Option(help="Size: small or national.")] = "small",
    seed: Annotated[int, typer.Option(help="Seed from which everything follows.")] = 2026,
    grade: Annotated[
        list[int] | None, typer.Option(help="Grade; may be repeated; 5 and 9 by default.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path("nation"),
    table_format: Annotated[TableFormat, typer.Option("--format", help="Form of tables.")] = TableFormat.csv,
) -> None:
    """Write a synthetic nation as files: registers, and per grade items, trend items and the known truth.

    Example: lsa nation --size small --seed 2026 --out demo
    """
    from lsakit.cli.stages import COMMANDS

    by_name = {command.name: command for command in COMMANDS}
    shared: dict[str, Any] = {"size": size, "nation_seed": seed, "table_format": table_format}
    run_stage(by_name["registers"], {**shared, "out": out})
    for one in grade or (5, 9):
        run_stage(by_name["instrument"], {**shared, "grade": one, "out": out / f"grade{one}"})


def cycle(
    store: Annotated[Path, typer.Option(help="Folder of the store; made when it is not there.")],
    size: Annotated[str, typer.Option(help="Size of the nation: small or national.")] = "national",
    seed: Annotated[int, typer.Option(help="Seed of the whole cycle.")] = 2026,
    grade: Annotated[
        list[int] | None, typer.Option(help="Grade; may be repeated; 5 and 9 by default.")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="Processes that work side by side.")] = None,
    report_files: Annotated[bool, typer.Option(help="Print the reports as PDF and Excel.")] = True,
) -> None:
    """Run a whole cycle on a synthetic nation into a store; unchanged stages are reused.

    Example: lsa cycle --store build/store --size small
    """
    from lsakit.lineage import Store
    from lsakit.pipeline import CycleOptions, load_estimates, run_cycle

    options = CycleOptions(
        size=size, seed=seed, grades=tuple(grade or (5, 9)), with_report_files=report_files
    )
    place = Store(store)
    with progress_line() as progress:
        result = run_cycle(place, options, now=moment, who=person(), progress=progress, n_processes=processes)
    say(f"{len(result.computed)} of {len(result.manifests)} stages computed, the others reused.")
    estimates = load_estimates(place)
    nation_means = estimates.filter((estimates["by"] == "nation") & (estimates["statistic"] == "mean"))
    names = ["figure_id", "n", "n_schools", "estimate", "standard_error", "ci_low", "ci_high", "truth"]
    show_table(nation_means.select(names), title="National means")
    say(f"Trace a figure: lsa trace {nation_means['figure_id'][0]} --store {store}")


def compare(
    shared: Annotated[Path, typer.Option(help="Folder with data/ and reference/.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File for the whole table.")] = None,
) -> None:
    """Estimate PISA and TIMSS files and hold the results against reference values.

    Example: lsa compare --shared ../shared
    """
    from lsakit.pipeline import compare_real_data
    from lsakit.pipeline.table_files import write_plain_table

    found = compare_real_data(shared)
    show_table(found.table)
    say(f"Largest difference: {found.largest_difference}")
    if out is not None:
        write_plain_table(found.table, out)
        say(str(out))
