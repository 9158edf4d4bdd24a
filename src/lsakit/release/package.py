"""A release as a folder and an archive: data in every format, codebooks, proof, metadata, checksums.

Bytes depend on the data and the description alone, as far as a format permits: an Excel codebook carries a fixed
day, archives carry no time.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path

import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook, Variable
from lsakit.io.files import write_table
from lsakit.release.aliases import PRIMARY, with_iea_names
from lsakit.release.description import Description
from lsakit.release.metadata import DescribedFile, datacite_json, ddi_xml
from lsakit.release.microdata import MicroData
from lsakit.release.protection import Protected
from lsakit.release.published import REPORT_NAMES, TABLE_COLUMNS, compare_tables, patterns_of, published_table
from lsakit.release.words import LANGUAGES, say

FORMATS = ("sav", "dta", "csv", "parquet", "iea")
IEA_STEMS = {"student": "SGVNM", "school": "CGVNM"}
STEMS = {"student": "STU_QQQ", "school": "SCH_QQQ", "responses": "STU_COG"}
SCRIPTS = ("table.R", "table.py", "table_numpy.py")
MEDIA = {
    "sav": "application/x-spss-sav", "dta": "application/x-stata-dta", "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}  # fmt: skip
TOLERANCE = 1e-8
LEAST_DIFFERENCE = 30
_EPOCH = (1980, 1, 1, 0, 0, 0)
_STATA_LABEL = 80

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedFile:
    """One file of a release.

    Parameters
    ----------
    name : str
        File name.
    n_bytes : int
        Size.
    sha256 : str
        Checksum, hexadecimal.
    """

    name: str
    n_bytes: int
    sha256: str


def write_release(
    folder: str | Path,
    data: MicroData,
    description: Description,
    *,
    protected: Protected,
    report_table: pl.DataFrame,
    formats: Sequence[str] = ("sav", "dta", "csv", "parquet"),
    progress: Progress | None = None,
) -> tuple[ReleasedFile, ...]:
    """Write a release into an empty folder.

    Parameters
    ----------
    folder : str or Path
        Where; made if absent.
    data : MicroData
        The files as released: protected, with pseudonyms.
    description : Description
        The release in words.
    protected : Protected
        How they were protected; its swap log and seed are not written.
    report_table : polars.DataFrame
        ``published_table`` of the untouched files, to state the differences.
    formats : Sequence of {"sav", "dta", "csv", "parquet", "iea"}
        Formats of the data files; ``"sav"`` or ``"csv"`` must be among them, for the scripts. ``"iea"`` adds SPSS files
        under the names of IEA studies.
    progress : Callable, optional
        Called with a word and a share between 0 and 1.

    Returns
    -------
    tuple of ReleasedFile
        Every file in order of name, ``SHA256SUMS`` included.

    Raises
    ------
    TableError
        If a format is unknown, or a figure of the nation, by gender or region is not that of the report.
    """
    place, say_progress = Path(folder), progress or (lambda _text, _share: None)
    unknown = [one for one in formats if one not in FORMATS]
    if unknown or not {"sav", "csv"} & set(formats):
        raise TableError(
            f"The formats {list(formats)} cannot be written.",
            hint=f"Choose among {', '.join(FORMATS)}, with sav or csv for the scripts.",
            param="formats",
        )
    place.mkdir(parents=True, exist_ok=True)
    students = data.students
    shown = {**data.tables, "student": _ordered(students, data)}
    books = {**data.codebooks, "student": _joined_book(data)}
    described = []
    total = len(shown) * len(formats)
    for number, (name, table) in enumerate(shown.items()):
        book = books[name].select(table.columns)
        described.append(
            DescribedFile(name=STEMS.get(name, name.upper()), codebook=book, n_rows=table.height)
        )
        for step, kind in enumerate(one for one in formats if one != "iea"):
            say_progress(f"write {kind}", (number * len(formats) + step) / total)
            _write_data(place / f"{STEMS.get(name, name.upper())}.{kind}", table, book, kind)
        _write_codebook(place, STEMS.get(name, name.upper()), book)
    if "iea" in formats:
        _write_iea(place, data)
    _write_proof(place, data, report_table, formats)
    _write_record(place / "disclosure.json", protected)
    _write_texts(place, description, described, formats)
    return _checksums(place)


def _write_iea(place: Path, data: MicroData) -> None:
    """Write the student and the school file once more as SPSS files under the names of IEA studies."""
    grade = int(data.tables["student"].get_column("ST001D01T")[0])
    renamed = with_iea_names(data, grade=grade)
    books = {**renamed.codebooks, "student": _joined_book(renamed)}
    for name, stem in IEA_STEMS.items():
        table = renamed.students if name == "student" else renamed.tables[name]
        letter = "A" if grade <= PRIMARY else "B"
        _write_data(place / f"{letter}{stem}.sav", table, books[name].select(table.columns), "sav")


def _ordered(students: pl.DataFrame, data: MicroData) -> pl.DataFrame:
    """Put the variables of the school behind the student's own, before the weights, with the stratum."""
    first = [name for name in students.columns if name not in data.carried]
    at = first.index(data.weight)
    columns = [*first[:at], *data.carried, *first[at:]]
    if not {"REGION", "PROVINCE"} <= set(students.columns):
        return students.select(columns)
    region, province = (pl.col(name).cast(pl.String) for name in ("REGION", "PROVINCE"))
    stratum = pl.concat_str([pl.lit("VNM"), region.str.zfill(2), province.str.zfill(3)])
    return students.with_columns(stratum.alias("STRATUM")).select(*columns[:3], "STRATUM", *columns[3:])


def _joined_book(data: MicroData) -> Codebook:
    """Give the codebook of the student file with the carried variables."""
    school = data.codebooks["school"]
    return replace(
        data.codebooks["student"],
        variables=(
            *data.codebooks["student"].variables,
            *(school[name] for name in data.carried),
            Variable(
                name="STRATUM",
                label=say("variable.STRATUM", "vi"),
                label_en=say("variable.STRATUM", "en"),
                type="text",
                width=8,
                derivation="VNM + REGION + PROVINCE",
            ),
        ),
    )


def _write_data(path: Path, table: pl.DataFrame, book: Codebook, kind: str) -> None:
    """Write one data file; labels stand in both languages, in Stata's short ones in English."""
    if kind == "csv":
        table.write_csv(path)
        return
    label = _english if kind == "dta" else _bilingual
    write_table(table, path, codebook=replace(book, variables=tuple(label(one) for one in book)))


def _bilingual(variable: Variable) -> Variable:
    """Label a variable in both languages."""
    both = " | ".join(part for part in (variable.label, variable.label_en) if part)
    return replace(variable, label=both)


def _english(variable: Variable) -> Variable:
    """Label a variable in English, as short as Stata wants it."""
    return replace(variable, label=(variable.label_en or variable.label)[:_STATA_LABEL])


def _write_codebook(place: Path, stem: str, book: Codebook) -> None:
    """Write a codebook as JSON and Excel."""
    named = replace(book, variables=tuple(replace(one, file=stem) for one in book))
    named.write(place / f"{stem}.codebook.json")
    named.write(place / f"{stem}.codebook.xlsx")


def _write_proof(place: Path, data: MicroData, report_table: pl.DataFrame, formats: Sequence[str]) -> None:
    """Write the expected table, its differences from the report, and the scripts."""
    table = published_table(data)
    compared = compare_tables(report_table, table)
    wrong = compared.filter(pl.col("by").is_in(["", "REGION", "ST004D01T"]) & ~pl.col("is_exact"))
    if wrong.height:
        raise TableError(
            f"{wrong.height} figure(s) of the nation, by gender or region differ from those of the report.",
            where=[" / ".join(row) for row in wrong.select("values", "by", "group").rows()],
            why="The plan promises that they are reproduced exactly.",
            hint="Protect REGION and ST004D01T in the plan and leave no row out.",
            param="data",
        )
    table.select(TABLE_COLUMNS).write_csv(place / "expected.csv")
    stated_differences(compared).write_csv(place / "differences.csv")
    columns = data.tables["student"].columns
    n_values = sum(one.startswith("PV") and one.endswith(patterns_of(columns)[0][5:]) for one in columns)
    settings = {
        "student_file": f"{STEMS['student']}.sav", "student_csv": f"{STEMS['student']}.csv",
        "n_replicates": sum(one.startswith("W_FSTURWT") for one in columns), "fay_factor": 0.5,
        "n_plausible_values": n_values, "tolerance": TOLERANCE,
    }  # fmt: skip
    with (place / "table_settings.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([("name", "value"), *settings.items()])
    for name in SCRIPTS:
        if "sav" in formats or name == "table_numpy.py":
            source = files("lsakit.release").joinpath("scripts", name)
            (place / name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")


def stated_differences(compared: pl.DataFrame) -> pl.DataFrame:
    """Leave in a comparison what may be stated without telling the mean of the few who were hidden.

    Parameters
    ----------
    compared : polars.DataFrame
        What ``compare_tables`` gave.

    Returns
    -------
    polars.DataFrame
        Rows of break-downs that the report publishes; figures of the report are left out where it rests on fewer than
        30 students more or less, since the two would tell the mean of those.
    """
    in_report = compared.filter(pl.col("by").is_in(["", *REPORT_NAMES]))
    moved = (pl.col("n") - pl.col("n_before")).abs()
    is_telling = (moved > 0) & (moved < LEAST_DIFFERENCE)
    hidden = ("n_before", "estimate_before", "standard_error_before", "difference")
    return in_report.with_columns(
        pl.when(~is_telling).then(pl.col(name)).alias(name) for name in hidden
    ).drop("is_exact")


def record_of(protected: Protected) -> dict[str, object]:
    """Give the public record of a protection: steps, risks, losses; no seed, no swap log.

    Parameters
    ----------
    protected : Protected
        The protection.

    Returns
    -------
    dict of str to object
        What JSON can hold.
    """
    return {
        "schema": "lsakit.disclosure/1",
        "plan": protected.plan.name,
        "kind": protected.plan.kind,
        "requirements": [asdict(need) for need in protected.plan.requirements],
        "before": {file: asdict(risk) for file, risk in protected.before.items()},
        "after": {file: asdict(risk) for file, risk in protected.after.items()},
        "steps": [
            {
                "number": one.number, "kind": one.kind, "file": one.file, "variables": list(one.variables),
                "because": dict(one.because), "n_changed": one.n_changed, "n_suppressed": one.n_suppressed,
                "n_recodes": one.n_recodes, "risk": {file: asdict(risk) for file, risk in one.risk.items()},
            }
            for one in protected.steps
        ],
        "loss": protected.loss.to_dicts(),
    }  # fmt: skip


def _write_record(path: Path, protected: Protected) -> None:
    """Write the record as JSON."""
    path.write_text(json.dumps(record_of(protected), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_texts(
    place: Path, description: Description, described: Sequence[DescribedFile], formats: Sequence[str]
) -> None:
    """Write README, DataCite and DDI."""
    for language in LANGUAGES:
        (place / f"README.{language}.md").write_text(
            readme(description, described, language), encoding="utf-8"
        )
    n_bytes = sum(path.stat().st_size for path in place.iterdir())
    media = [MEDIA[kind] for kind in formats if kind in MEDIA]
    (place / "datacite.json").write_text(
        datacite_json(description, n_bytes=n_bytes, formats=media), encoding="utf-8"
    )
    (place / "ddi.xml").write_bytes(ddi_xml(description, described))


def readme(description: Description, described: Sequence[DescribedFile], language: str) -> str:
    """Write the README of a release.

    Parameters
    ----------
    description : Description
        The release.
    described : Sequence of DescribedFile
        Its data files.
    language : {"vi", "en"}
        Language.

    Returns
    -------
    str
        Markdown.
    """

    def tell(key: str, **values: object) -> str:
        return say(key, language, catalog="readme", **values)

    is_vi = language == "vi"
    title = description.title_vi if is_vi else description.title_en
    population = description.population_vi if is_vi else description.population_en
    lines = [f"# {tell('title', title=title, version=description.version)}", ""]
    lines += [tell("what", kind=tell(f"kind_{description.kind}"), population=population), ""]
    lines += [f"## {tell('files')}", ""]
    for one in described:
        label = say(f"file.{next(key for key, stem in STEMS.items() if stem == one.name)}", language)
        columns = len(one.codebook.variables)
        lines.append("- " + tell("file_line", name=one.name, label=label, rows=one.n_rows, columns=columns))
    for part in ("weights", "proof", "protection"):
        lines += ["", f"## {tell(part)}", "", tell(f"{part}_text")]
    terms = tell("terms_text", license=description.license_name, license_url=description.license_url)
    lines += [
        "",
        f"## {tell('terms')}",
        "",
        terms,
        "",
        f"## {tell('citation')}",
        "",
        description.citation(language),
    ]
    if description.errata:
        lines += ["", f"## {tell('errata')}", "", *(f"- {one}" for one in description.errata)]
    return "\n".join(lines) + "\n"


def _checksums(place: Path) -> tuple[ReleasedFile, ...]:
    """Write the checksums of every file and list the files."""
    found = [_released(path) for path in sorted(place.iterdir()) if path.name != "SHA256SUMS"]
    text = "".join(f"{one.sha256}  {one.name}\n" for one in found)
    (place / "SHA256SUMS").write_text(text, encoding="ascii")
    return (*found, _released(place / "SHA256SUMS"))


def _released(path: Path) -> ReleasedFile:
    """Name a file with its size and checksum."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ReleasedFile(name=path.name, n_bytes=path.stat().st_size, sha256=digest)


def write_archive(
    folder: str | Path, target: str | Path, *, extra: Iterable[tuple[str, bytes]] = ()
) -> ReleasedFile:
    """Put a release into one ZIP archive whose bytes depend on the files alone.

    Parameters
    ----------
    folder : str or Path
        The release.
    target : str or Path
        The archive; must not lie in the folder.
    extra : Iterable of (str, bytes)
        Further files, such as the paper that says whose copy it is; the data are never touched.

    Returns
    -------
    ReleasedFile
        The archive.
    """
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(Path(folder).iterdir()):
            entry = _entry(path.name)
            with archive.open(entry, "w", force_zip64=True) as into, path.open("rb") as source:
                while part := source.read(1 << 20):
                    into.write(part)
        for name, content in extra:
            archive.writestr(_entry(name), content)
    return _released(Path(target))


def _entry(name: str) -> zipfile.ZipInfo:
    """Describe an entry without a time; what is packed already is stored as it is."""
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.external_attr = 0o644 << 16
    entry.compress_type = zipfile.ZIP_STORED if name.endswith((".parquet", ".xlsx")) else zipfile.ZIP_DEFLATED
    setattr(entry, "_compresslevel", 1)  # noqa: B010 - the name that every supported Python reads
    return entry
