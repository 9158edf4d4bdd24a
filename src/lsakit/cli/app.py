"""Put the commands together, and turn refusals into one sentence and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from lsakit.cli.cycle_commands import add_cycle_commands
from lsakit.cli.draw_commands import add_draw_commands
from lsakit.cli.lineage_commands import add_lineage_commands
from lsakit.cli.report_commands import add_report_commands
from lsakit.cli.scale_commands import add_scale_commands
from lsakit.cli.stage_commands import add_stage_commands
from lsakit.errors import CancelledError, LsakitError

REFUSED = 2
STOPPED = 130
_STOPPED = "Stopped. What was finished is kept; nothing half-written remains."
HELP = """
National large-scale assessment over plain files: from a list of schools to a figure anyone can trace.

Each stage reads and writes files (.csv, .xlsx, .parquet, .sav, .dta) and leaves a manifest beside each output,
which names the hash of every input, the parameters, the seed and the software.

Example: lsa nation --size small --out demo
"""


def make_app() -> typer.Typer:
    """Make the command with all its subcommands.

    Returns
    -------
    typer.Typer
        The command.
    """
    app = typer.Typer(
        name="lsa",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(version)
    add_stage_commands(app)
    add_cycle_commands(app)
    add_lineage_commands(app)
    add_draw_commands(app)
    add_scale_commands(app)
    add_report_commands(app)
    return app


def version(
    show: bool = typer.Option(False, "--version", help="Say the version and stop.", is_eager=True),
) -> None:
    """Say the version when asked.

    Parameters
    ----------
    show : bool, default False
        Whether it was asked for.
    """
    if show:
        from lsakit import __version__

        typer.echo(f"lsa {__version__}")
        raise typer.Exit


version.__doc__, _VERSION_DOC = HELP, version.__doc__


def run(arguments: Sequence[str]) -> int:
    """Run a command line.

    Parameters
    ----------
    arguments : Sequence of str
        Words after the command's name.

    Returns
    -------
    int
        Exit status.
    """
    try:
        code = make_app()(args=list(arguments), prog_name="lsa", standalone_mode=True)
    except SystemExit as end:
        if end.code == STOPPED:
            return _say(_STOPPED, STOPPED)
        return int(end.code) if isinstance(end.code, int) else REFUSED
    except CancelledError as error:
        return _say(error.sentence, STOPPED)
    except LsakitError as error:
        return _say(error.sentence, REFUSED)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        return _say(
            f"The computer refused: {error.strerror or error}{place}. Nothing half-written remains.", REFUSED
        )
    except KeyboardInterrupt:
        return _say(_STOPPED, STOPPED)
    return int(code or 0)


def _say(sentence: str, status: int) -> int:
    """Write one sentence on the error stream."""
    sys.stderr.write(f"lsa: {sentence}\n")
    return status
