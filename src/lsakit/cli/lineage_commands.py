"""Commands that walk back, recompute and check."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lsakit.cli.screen import progress_line, say, show_table
from lsakit.errors import LineageError

if TYPE_CHECKING:
    from lsakit.lineage import Store

FOUND = 1
_StoreOption = Annotated[Path | None, typer.Option("--store", help="Folder of the store.")]


def add_lineage_commands(app: typer.Typer) -> None:
    """Add the commands.

    Parameters
    ----------
    app : typer.Typer
        The command.
    """
    app.command("trace")(trace)
    app.command("rerun")(rerun)
    app.command("verify")(verify)


def trace(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[FILE] FIGURE",
            help="Code of a figure; before it, a file of estimates. With --store also a name such as reading/values, "
            "or the id of a manifest.",
        ),
    ],
    store: _StoreOption = None,
    student: Annotated[str | None, typer.Option(help="Student to follow (study number).")] = None,
    school: Annotated[str | None, typer.Option(help="School to follow.")] = None,
    language: Annotated[str, typer.Option(help="en or vi.")] = "en",
    full: Annotated[bool, typer.Option(help="Print whole hashes.")] = False,
) -> None:
    """Walk from a published figure back to its inputs, down to the frame row and the answers.

    Example: lsa trace grade5/maths/mean/province_code/01 --store build/store

    Example: lsa trace estimates.csv grade5/maths/mean/nation/all

    Example: lsa trace reading/values --store store
    """
    from lsakit.lineage import Store
    from lsakit.pipeline.plain_sources import PlainSource
    from lsakit.pipeline.trace_sources import StoreSource, TraceSource
    from lsakit.pipeline.tracing import trace_from

    if len(words) not in (1, 2) or (len(words) == 1) == (store is None):
        raise LineageError(
            "A trace needs a figure, and either --store or a file of estimates before it.",
            hint="For example: lsa trace estimates.csv grade5/maths/mean/nation/all",
            param="figure",
        )
    if store is not None and (run := _run_named(Store(store, create=False), words[-1])) is not None:
        _trace_run(Store(store, create=False), run, full=full)
        return
    source: TraceSource = (
        StoreSource(Store(store, create=False)) if store is not None else PlainSource(Path(words[0]))
    )
    found = trace_from(source, words[-1], student_id=student, school_id=school, language=language)
    for number, step in enumerate(found.steps, 1):
        say(f"\n{number}. {step.title} · {step.stage} · manifest {step.manifest_id[:12]}")
        say(f"   {step.sentence}")
        if step.explanation:
            say(f"   {step.explanation}")
        for role, value_hash in step.outputs.items():
            say(f"   {role}: {value_hash if full else value_hash[:23] + '…'}")
        show_table(step.rows)


def _run_named(store: Store, word: str) -> str | None:
    """Find the run that a name of the store or the beginning of an id means; None where it is neither."""
    if word in store.refs():
        return store.ref(word)
    if re.fullmatch(r"[0-9a-f]{6,64}", word):
        return store.manifest(word).id
    return None


def _trace_run(store: Store, manifest_id: str, *, full: bool) -> None:
    """Show a run and every run behind it, down to what was put in from outside."""
    from lsakit.lineage import ancestry
    from lsakit.pipeline.registry import STEPS

    walk = ancestry(store, manifest_id, outside="leave")
    made_by = {artefact.hash: manifest.step for manifest in walk for artefact in manifest.outputs.values()}

    def short(value_hash: str) -> str:
        return value_hash if full else value_hash[:23] + "…"

    for number, manifest in enumerate(walk, 1):
        title = STEPS[manifest.step].title if manifest.step in STEPS else manifest.step
        say(f"\n{number}. {title} · {manifest.step} · manifest {manifest.id if full else manifest.id[:12]}")
        say(
            f"   {manifest.created_at}, {manifest.who}" + (f", seed {manifest.seed}" if manifest.seed else "")
        )
        for name, value in manifest.parameters.items():
            say(f"   {name} = {json.dumps(value, ensure_ascii=False)}")
        names = manifest.parameters.get("names") or {}
        for role, value_hash in manifest.inputs.items():
            where = made_by.get(value_hash) or names.get(role) or "from outside"
            say(f"   takes {role}: {short(value_hash)} ({where})")
        for role, artefact in manifest.outputs.items():
            rows = "" if artefact.n_rows is None else f" ({artefact.n_rows} rows)"
            say(f"   gives {role}: {short(artefact.hash)}{rows}")


def rerun(
    manifest: Annotated[
        str, typer.Argument(help="A file, its manifest, or with --store the id of a manifest.")
    ],
    store: _StoreOption = None,
) -> None:
    """Recompute a manifest and say whether the numbers are identical, equal to 1e-12, or what differs.

    Example: lsa rerun weights.csv.manifest.json

    Example: lsa rerun 3f9a0c --store build/store
    """
    from lsakit.lineage import Store
    from lsakit.lineage import rerun as rerun_in_store
    from lsakit.pipeline.plain_files import rerun_plain
    from lsakit.pipeline.registry import STEPS

    with progress_line() as progress:
        if store is None:
            report = rerun_plain(Path(manifest), steps=STEPS, progress=progress)
        else:
            report = rerun_in_store(Store(store, create=False), manifest, steps=STEPS, progress=progress)
    say(report.sentence)
    for difference in report.differences:
        say(f"  {difference}")
    for change in report.software if not report.identical else ():
        say(f"  software: {change}")
    if report.verdict == "different":
        raise typer.Exit(FOUND)


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files with manifests, or folders of them; the present by default."),
    ] = None,
    store: _StoreOption = None,
) -> None:
    """Check that no byte of any artefact or manifest was changed; exit status 1 when one was.

    Example: lsa verify --store build/store

    Example: lsa verify demo
    """
    findings = _verify_store(store) if store is not None else _verify_files(paths or [Path(".")])
    for sentence in findings:
        say(sentence)
    if findings:
        raise typer.Exit(FOUND)


def _verify_store(store: Path) -> list[str]:
    """Check a store and say what it holds."""
    from lsakit.lineage import Store

    place = Store(store, create=False)
    findings = [finding.sentence for finding in place.verify()]
    if not findings:
        say(f"Whole: {len(list(place.files('artefacts')))} artefacts, {len(place.manifests())} manifests.")
    return findings


def _verify_files(paths: list[Path]) -> list[str]:
    """Check the manifests beside plain files."""
    from lsakit.pipeline.plain_files import SUFFIX, verify_plain

    manifests: list[Path] = []
    for path in paths:
        manifests += sorted(path.rglob("*" + SUFFIX)) if path.is_dir() else [path]
    if not manifests:
        raise LineageError(
            f"There is no manifest under {', '.join(str(path) for path in paths)}.",
            hint="Name a folder that lsa wrote to, or a store with --store.",
            param="paths",
        )
    findings = verify_plain(manifests)
    if not findings:
        say(f"Whole: {len(manifests)} manifests and the files they name.")
    return findings
