"""The command that composes one report by a specification file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lsakit.cli.screen import say
from lsakit.errors import LsakitError

if TYPE_CHECKING:
    import polars as pl


def add_report_commands(app: typer.Typer) -> None:
    """Add the command.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    app.command("compose")(compose)


def compose(
    specification: Annotated[
        str, typer.Argument(help="A specification file (.toml), or national, province, press_note.")
    ],
    store: Annotated[Path | None, typer.Option(help="Store of a cycle.")] = None,
    estimates: Annotated[
        list[Path] | None, typer.Option(help="Table of estimates; may be repeated, instead of a store.")
    ] = None,
    provinces: Annotated[Path | None, typer.Option(help="Codes and names of provinces.")] = None,
    province: Annotated[str | None, typer.Option(help="Code of the province the report is about.")] = None,
    language: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path("report"),
) -> None:
    """Compose one report by a specification: PDF, Word and Excel.

    Example: lsa compose own.toml --store build/store --language en --out build/report
    """
    from lsakit.tables import report_docx, report_pdf, report_xlsx
    from lsakit.tables.report import build_report
    from lsakit.tables.specification import STANDARD, read_specification

    plan = read_specification(specification if specification in STANDARD else Path(specification))
    if (store is None) == (not estimates):
        raise LsakitError(
            "A report is composed from a store or from tables of estimates; give one of the two.",
            hint="Add --store DIR, or --estimates FILE.",
            param="store",
        )
    table, names, cycle = _of_store(store, language) if store else _of_files(estimates or [], provinces)
    report = build_report(
        table,
        language=language,
        names=names,
        cycle=cycle,
        province=province,
        specification=plan,
    )
    out.mkdir(parents=True, exist_ok=True)
    stem = "_".join(part for part in (plan.name, province or "", language) if part)
    for kind, write in (("pdf", report_pdf), ("docx", report_docx), ("xlsx", report_xlsx)):
        path = out / f"{stem}.{kind}"
        path.write_bytes(write(report))
        say(str(path))


def _of_store(store: Path, language: str) -> tuple[pl.DataFrame, dict[str, str], Any]:
    """Read estimates, names and rules of the newest cycle of a store."""
    from dataclasses import replace

    import polars as pl

    from lsakit.lineage import Store
    from lsakit.pipeline.cycle import load_estimates
    from lsakit.pipeline.stages.report import region_of, report_cycle, unit_names

    place = Store(store, create=False)
    table = load_estimates(place)
    units = place.table(place.manifest(place.ref("nation")).outputs["provinces"].hash)
    outputs = [
        place.manifest(one).outputs for name, one in place.refs().items() if name.startswith("estimates/")
    ]
    counted = [place.table(own["participation"].hash) for own in outputs if "participation" in own]
    cycle = report_cycle(place.manifest(place.ref("report")).parameters, language)
    cycle = replace(cycle, regions=region_of(units), participation=pl.concat(counted) if counted else None)
    return table, unit_names(units), cycle


def _of_files(estimates: list[Path], provinces: Path | None) -> tuple[pl.DataFrame, dict[str, str], Any]:
    """Read estimates and names from files."""
    import polars as pl

    from lsakit.pipeline.stages.report import region_of, unit_names
    from lsakit.pipeline.table_files import read_plain_table
    from lsakit.tables.report_parts import ReportCycle

    table = pl.concat([read_plain_table(path) for path in estimates], how="diagonal_relaxed")
    units = None if provinces is None else read_plain_table(provinces)
    names = {} if units is None else unit_names(units)
    return table, names, ReportCycle(title="", regions={} if units is None else region_of(units))
