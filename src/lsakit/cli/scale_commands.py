"""The command that scales one subject from a study file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lsakit.cli.screen import moment, person, progress_line, say, show_table
from lsakit.cli.stage_commands import TableFormat


def add_scale_commands(app: typer.Typer) -> None:
    """Add the command.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    app.command("scale")(scale)


def scale(
    study: Annotated[Path, typer.Argument(help="The study: files, options and decisions, in TOML.")],
    store: Annotated[Path, typer.Option(help="Folder of the store; made when it is not there.")] = Path(
        "store"
    ),
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results as files; none without it.")
    ] = None,
    table_format: Annotated[TableFormat, typer.Option("--format", help="Form of tables.")] = TableFormat.xlsx,
    role: Annotated[
        list[str] | None,
        typer.Option(help="Result to write, such as item_fit; may be repeated; all by default."),
    ] = None,
) -> None:
    """Scale one subject: scores, item statistics, calibration, fit, DIF, link, population model, plausible values.

    Unchanged stages are reused, so that a decision on an item costs only what depends on it.

    Example: lsa scale reading.toml --store store --out results
    """
    from lsakit.lineage import Store
    from lsakit.pipeline.scaling.study_file import read_study, run_study, write_results

    asked = read_study(study)
    place = Store(store)
    with progress_line() as progress:
        _, result = run_study(place, asked, clock=moment, who=person(), progress=progress)
    say(
        f"{asked.title}: {len(result.computed)} of {len(result.manifests)} stages computed, the others reused."
    )

    def output(stage: str, name: str) -> Any:
        manifest = result.manifests.get(stage)
        return None if manifest is None else place.load(place.manifest(manifest).outputs[name].hash)

    _show(output)
    if out is not None:
        written = write_results(place, result, out, table_format=table_format.value, roles=role or ())
        say(f"{len(written)} files in {out}.")
    last = list(result.manifests)[-1]
    say(f"Walk back: lsa trace {asked.name}/{last} --store {store}")


def _show(output: Any) -> None:
    """Show the few figures that a psychometrician looks at first."""
    record = output("calibration", "convergence")
    if record is not None:
        say(
            f"Calibration: {record['n_students']} students, {record['n_parameters']} parameters, "
            f"{record['n_iterations']} steps, log-likelihood {record['log_likelihood']:.2f}."
        )
        for sentence in record["doubtful"]:
            say(f"  {sentence}")
        show_table(output("calibration", "groups"), title="Groups (logits)")
    for stage, name, title in (
        ("fit", "proposals", "Items that the release rule would free next"),
        ("link", "link", ""),
        ("population", "population", ""),
    ):
        found = output(stage, name)
        if found is None:
            continue
        if isinstance(found, dict):
            shown = {key: value for key, value in found.items() if isinstance(value, int | float)}
            say(f"{stage.capitalize()}: " + ", ".join(f"{key} {value:.6g}" for key, value in shown.items()))
        elif found.height:
            show_table(found, title=title)
