"""The stages as commands over plain files, made from one table."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from lsakit.cli.screen import moment, person, progress_line, say


class TableFormat(StrEnum):
    """Forms of tables."""

    csv = "csv"
    parquet = "parquet"
    xlsx = "xlsx"
    sav = "sav"
    dta = "dta"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A file that a command takes.

    Parameters
    ----------
    role : str
        Role in the step; the option is called after it.
    help : str
        What it holds.
    required : bool, default True
        Whether the command needs it.
    """

    role: str
    help: str
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A parameter that a command takes.

    Parameters
    ----------
    name : str
        Name; the option is called after it.
    kind : type
        ``int``, ``float``, ``str``, ``bool`` or ``list[str]``.
    default : object
        Value when it is not given; ``...`` when it must be.
    help : str
        What it means.
    """

    name: str
    kind: Any
    default: Any
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCommand:
    """One command.

    Parameters
    ----------
    name : str
        Word that is typed.
    step : str
        Step that it runs.
    help : str
        What it does.
    example : str
        A line that works.
    inputs : tuple of InputFile
        Files; the first is the argument, the others are options.
    settings : tuple of Setting
        Parameters.
    draws : bool, default False
        Whether it draws at random and takes a seed.
    prepare : callable, optional
        Turns the settings into the step's parameters.
    """

    name: str
    step: str
    help: str
    example: str
    inputs: tuple[InputFile, ...] = ()
    settings: tuple[Setting, ...] = ()
    draws: bool = False
    prepare: Callable[[dict[str, Any]], dict[str, Any]] = field(default=dict)


def add_stage_commands(app: typer.Typer) -> None:
    """Add every stage to the command.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    from lsakit.cli.stages import COMMANDS

    for command in COMMANDS:
        app.command(command.name)(as_function(command))


def as_function(command: StageCommand) -> Callable[..., None]:
    """Make the function that a command runs, with the options that its table row names.

    Parameters
    ----------
    command : StageCommand
        The command.

    Returns
    -------
    callable
        A function whose signature Typer reads.
    """

    def function(**given: Any) -> None:
        run_stage(command, given)

    parameters = [_file_parameter(place, one) for place, one in enumerate(command.inputs)]
    parameters += [_setting_parameter(setting) for setting in command.settings]
    if command.draws:
        seed = Setting(
            name="seed", kind=int, default=2026, help="Seed of every random draw; kept in the manifest."
        )
        parameters.append(_setting_parameter(seed))
    parameters.append(
        _keyword(
            "out", Path, Path("."), "Folder for the outputs; each is called after its role.", "--out", "-o"
        )
    )
    parameters.append(_keyword("table_format", TableFormat, TableFormat.csv, "Form of tables.", "--format"))
    ordered = sorted(parameters, key=lambda parameter: parameter.default is not inspect.Parameter.empty)
    function.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    function.__doc__ = f"{command.help}\n\nExample: {command.example}"
    function.__name__ = command.name.replace("-", "_")
    return function


def _option(name: str) -> str:
    """Write the option of a name."""
    return "--" + name.replace("_", "-")


def _keyword(name: str, kind: Any, default: Any, text: str, *options: str) -> inspect.Parameter:
    """Make one keyword parameter."""
    annotation = Annotated[kind, typer.Option(*(options or (_option(name),)), help=text)]
    missing = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=missing, annotation=annotation)


def _file_parameter(place: int, one: InputFile) -> inspect.Parameter:
    """Make the parameter of a file: the first is an argument."""
    if place == 0:
        annotation = Annotated[Path, typer.Argument(help=one.help, metavar=one.role.upper())]
        return inspect.Parameter(one.role, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    kind, default = (Path, ...) if one.required else (Path | None, None)
    return _keyword(one.role, kind, default, one.help)


def _setting_parameter(setting: Setting) -> inspect.Parameter:
    """Make the parameter of a setting."""
    return _keyword(setting.name, setting.kind, setting.default, setting.help)


def run_stage(command: StageCommand, given: Mapping[str, Any]) -> None:
    """Run a stage over the files that were named.

    Parameters
    ----------
    command : StageCommand
        The command.
    given : Mapping of str to object
        Arguments and options.
    """
    from lsakit.pipeline.plain_files import PlainRun, run_plain
    from lsakit.pipeline.registry import STEPS

    settings = {setting.name: given[setting.name] for setting in command.settings}
    files = {one.role: given[one.role] for one in command.inputs if given[one.role] is not None}
    run = PlainRun(
        inputs=files,
        parameters=command.prepare(settings),
        seed=given["seed"] if command.draws else None,
        folder=given["out"],
        table_format=given["table_format"].value,
    )
    with progress_line() as progress:
        written = run_plain(STEPS[command.step], run, now=moment(), who=person(), progress=progress)
    for path in written.values():
        say(str(path))
