"""Commands of the public draw: commit, draw with an announced number, repeat and compare."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from lsakit.cli.screen import say, show_table
from lsakit.errors import DesignError, FileFormatError

DIFFERS = 1


def add_draw_commands(app: typer.Typer) -> None:
    """Add the commands.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    app.command("commit-draw")(commit_draw)
    app.command("public-draw")(public_draw)
    app.command("verify-draw")(verify_draw)


def commit_draw(
    frame: Annotated[Path, typer.Argument(help="The frozen frame: one row per school.")],
    design: Annotated[Path, typer.Option("--design", help="The plan, a JSON file.")],
) -> None:
    """Say the hash to publish before the seed of a public draw is known.

    Example: lsa commit-draw frame.parquet --design design.json
    """
    from lsakit.design.draw_record import commit_draw as commit
    from lsakit.design.draw_record import design_from_json
    from lsakit.io.files import read_table

    made = commit(read_table(frame), design_from_json(_json_file(design)))
    say(f"Commitment  {made.hash}")
    say(f"Frame       {made.frame_hash} ({made.n_schools} schools)")


def public_draw(
    frame: Annotated[Path, typer.Argument(help="The frozen frame: one row per school.")],
    design: Annotated[Path, typer.Option("--design", help="The plan, a JSON file.")],
    source: Annotated[str, typer.Option("--source", help="The public source, as it was named beforehand.")],
    text: Annotated[str, typer.Option("--text", help="What it announced.")],
    commitment: Annotated[
        str | None, typer.Option("--commitment", help="The hash that was published; another is refused.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the record goes.")] = Path("record.json"),
) -> None:
    """Draw schools with a seed from a public source, and write the record with which anyone can repeat it.

    Example: lsa public-draw frame.parquet --design design.json --source "Lottery, 1 March" --text "48213 07"
    """
    from lsakit.design.draw_record import PublicSource, design_from_json, draw_record
    from lsakit.io.atomic import replacing
    from lsakit.io.files import read_table

    made = draw_record(
        read_table(frame),
        design_from_json(_json_file(design)),
        source=PublicSource(name=source, text=text),
        commitment=commitment,
    )
    with replacing(out) as draft:
        draft.write_text(made.to_json(), encoding="utf-8")
    say(f"{made.drawn.table.height} schools drawn with the seed {made.drawn.seed}; record: {out}")
    for warning in made.drawn.warnings:
        say(warning)
    show_table(made.drawn.table.select(made.drawn.table.columns[:6]))


def verify_draw(
    record: Annotated[Path, typer.Argument(help="The record of the draw, a JSON file.")],
    frame: Annotated[Path, typer.Argument(help="The published frame, in any form that lsa reads.")],
) -> None:
    """Repeat a public draw bit for bit; exit status 1 when anything differs, and what differs is named.

    Example: lsa verify-draw record.json frame.parquet
    """
    from lsakit.design.draw_verification import verify_draw as verify
    from lsakit.io.files import read_table

    found = verify(_json_file(record), read_table(frame))
    say(found.sentence)
    for sentence in found.findings:
        say(f"  {sentence}")
    if not found.is_repeated:
        raise typer.Exit(DIFFERS)


def _json_file(path: Path) -> dict[str, Any]:
    """Read a JSON object from a file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileFormatError(
            f"There is no file {path.name!r}.", hint="Check the path.", param="path", got=str(path)
        ) from None
    except (ValueError, UnicodeDecodeError) as error:
        raise FileFormatError(
            f"The file {path.name!r} is not JSON: {error}.",
            hint="Take the file as it was published.",
            param="path",
            got=str(path),
        ) from error
    if not isinstance(content, dict):
        raise DesignError(
            f"The file {path.name!r} does not hold a JSON object.",
            hint="Take the file as it was published.",
            param="path",
            got=str(path),
        )
    return content
