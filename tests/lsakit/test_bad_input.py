"""Bad input, one row each: one clear sentence, exit status 2, nothing half-written.

``REFUSALS`` goes through the public functions, ``COMMANDS`` through the command line. A row is a name, what is
done with a folder, and the words that the sentence must hold: what is wrong, where, and what to do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xlsxwriter

import lsakit as lk
from lsakit.errors import LsakitError

Call = Callable[[Path], Any]

FRAME: dict[str, list[Any]] = {
    "school_id": [f"S{k:03d}" for k in range(12)],
    "region": ["North"] * 6 + ["South"] * 6,
    "enrolment": [40 + 7 * k for k in range(12)],
}
STUDENTS: dict[str, list[Any]] = {
    "student_id": [f"{k:04d}" for k in range(8)],
    "group": ["a"] * 4 + ["b"] * 4,
    "score": [480.0, 510.0, 530.0, 470.0, 505.0, 495.0, 520.0, 500.0],
    "weight": [1.0, 2.0, 1.5, 1.0, 1.0, 2.0, 1.5, 1.0],
    "zone": [1, 1, 2, 2, 1, 1, 2, 2],
    "half": [0, 1, 0, 1, 0, 1, 0, 1],
}
RAW: dict[str, list[Any]] = {"student_id": ["a", "b", "c"], "M1": [2, 99, 1], "M2": [1, 96, 2]}
ITEMS: dict[str, list[Any]] = {
    "item": ["M1", "M2"],
    "format": ["mc", "cr"],
    "key": [2, None],
    "max_score": [1, 2],
}
TCVN3_LINE = "id,name\n01,NguyÔn V¨n B×nh\n"
VNI_LINE = "id,name\n01,Nguyeãn Vaên Höôøng\n"


def changed(table: dict[str, list[Any]], **columns: Any) -> dict[str, list[Any]]:
    """Replace columns; a mapping replaces single rows."""
    out = {name: list(values) for name, values in table.items()}
    for name, values in columns.items():
        if isinstance(values, dict):
            for row, value in values.items():
                out[name][row] = value
        else:
            out[name] = values
    return out


def draw(frame: dict[str, list[Any]]) -> Any:
    design = lk.Design(explicit=["region"], measure_of_size="enrolment", n_schools=4, n_students=20)
    return lk.draw_schools(frame, design, rng=np.random.default_rng(1))


def means(table: dict[str, list[Any]], **options: Any) -> Any:
    design = lk.SurveyDesign(weight="weight", zone="zone", half="half", method="jk2")
    return lk.estimate_means(table, "score", design=design, **options)


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "input.csv"
    path.write_bytes(text.encode(encoding))
    return path


def eaten_zeros(folder: Path) -> Path:
    """Write a workbook in which province 01 stands as the number 1."""
    path = folder / "input.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Trường")
        for place, row in enumerate([["school_id", "province_code"], ["S1", 79], ["S2", 1]]):
            sheet.write_row(place, 0, row)
    return path


def cut(folder: Path, extension: str) -> Path:
    """Write a file and cut off its second half."""
    path = folder / f"input.{extension}"
    lk.write_table({"x": list(range(500)), "s": [f"{k:06d}" for k in range(500)]}, path)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    return path


REFUSALS: list[tuple[str, Call, tuple[str, ...]]] = [
    (
        "unknown column: frame",
        lambda _: draw({k: v for k, v in FRAME.items() if k != "region"}),
        ("frame has no column 'region'", "columns are: school_id, enrolment"),
    ),
    (
        "unknown column: estimate",
        lambda _: means(STUDENTS, by="gender"),
        ("no column 'gender'", "student_id"),
    ),
    (
        "unknown column: file",
        lambda folder: lk.read_table(csv(folder, "a,b\n1,2\n"), columns=["z"]),
        ("'input.csv' has no column 'z'", "a, b"),
    ),
    (
        "duplicate id: frame",
        lambda _: draw(changed(FRAME, school_id={5: "S000"})),
        ("'school_id'", "unique", "S000", "Keep one row"),
    ),
    (
        "duplicate name in a header",
        lambda folder: lk.read_table(csv(folder, "id,x,id\n1,2,3\n")),
        ("'input.csv'", "'id' twice", "column 1, column 3", "own name"),
    ),
    (
        "non-numeric weight",
        lambda _: means(changed(STUDENTS, weight=["1", "2", "một", "1", "1", "2", "1", "1"])),
        ("'weight'", "must be numeric", "'một'", "row 3", "Correct the value"),
    ),
    (
        "negative weight",
        lambda _: means(changed(STUDENTS, weight={2: -1.5})),
        ("weight", "negative", "row 3"),
    ),
    (
        "empty group: no weight",
        lambda _: means(changed(STUDENTS, weight=[1.0] * 4 + [0.0] * 4), by="group"),
        ("group", "b"),
    ),
    (
        "empty stratum",
        lambda _: draw(changed(FRAME, enrolment={6: 0})),
        ("'enrolment'", "S006"),
    ),
    (
        "TCVN3 text",
        lambda folder: lk.read_table(csv(folder, TCVN3_LINE, "latin-1")),
        ("'input.csv'", "TCVN3", "Nguyễn", "encoding='tcvn3'", "UTF-8"),
    ),
    (
        "VNI text",
        lambda folder: lk.read_table(csv(folder, VNI_LINE)),
        ("'name'", "'input.csv'", "VNI", "'Nguyeãn' stands for 'Nguyễn'", "encoding='vni'"),
    ),
    (
        "text of no known character set",
        lambda folder: lk.read_table(csv(folder, "a,b\néè,ÿþ\n", "latin-1")),
        ("'input.csv'", "not UTF-8", "CSV UTF-8"),
    ),
    (
        "truncated csv",
        lambda folder: lk.read_table(csv(folder, "a,b,c\n1,2,3\n4,5")),
        ("'input.csv' is cut off", "2 of 3 fields", "export it again"),
    ),
    *(
        (
            f"truncated {extension}",
            lambda folder, extension=extension: lk.read_table(cut(folder, extension)),
            (f"'input.{extension}' cannot be read", "cut off", "export it again"),
        )
        for extension in ("sav", "dta", "parquet", "xlsx")
    ),
    (
        "Excel ate leading zeros",
        lambda folder: lk.read_table(eaten_zeros(folder), text_columns={"province_code": 2}),
        ("'province_code' of 'input.xlsx'", "'1' in row 3", "leading zeros", "restore_zeros=True"),
    ),
    (
        "a response outside the key's codes: multiple choice",
        lambda _: lk.score_responses(changed(RAW, M1={2: 7}), ITEMS),
        ("M1", "7", "c"),
    ),
    (
        "a response outside the key's codes: credit",
        lambda _: lk.score_responses(changed(RAW, M2={0: 3}), ITEMS),
        ("M2", "3", "a"),
    ),
    (
        "a response that is no code",
        lambda _: lk.score_responses(changed(RAW, M1=["A", "B", "C"]), ITEMS),
        ("M1", "numeric", "'A'"),
    ),
    ("no file", lambda folder: lk.read_table(folder / "absent.csv"), ("no file 'absent.csv'", "spelling")),
    (
        "unknown extension",
        lambda folder: lk.write_table({"a": [1]}, folder / "out.docx"),
        ("'.docx'", ".xlsx", ".sav"),
    ),
    (
        "a value that a file cannot hold",
        lambda folder: lk.write_table({"x": [1.0, float("inf")]}, folder / "out.sav"),
        ("'x'", "infinite", "row 2"),
    ),
    (
        "a name that a file cannot hold",
        lambda folder: lk.write_table({"Họ tên": ["a"]}, folder / "out.sav"),
        ("'Họ tên'", "SPSS", "Begin with a letter"),
    ),
]


@pytest.mark.parametrize(("call", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_bad_input_gets_one_clear_sentence(tmp_path: Path, call: Call, words: tuple[str, ...]) -> None:
    with pytest.raises(LsakitError) as refused:
        call(tmp_path)
    sentence = refused.value.sentence
    for word in words:
        assert word in sentence, f"{word!r} is not in: {sentence}"
    assert sentence.rstrip().endswith((".", "?")), sentence
    assert "Traceback" not in sentence
    assert not [entry.name for entry in tmp_path.iterdir() if not entry.name.startswith("input")]


SCORE = "student_id,M1,M2\na,2,1\nb,{m1},96\n"
ITEM_LINES = "item,format,key,max_score\nM1,mc,2,1\nM2,cr,,2\n"
FRAME_LINES = "school_id,region,enrolment\n" + "".join(
    f"S{k:03d},{'NS'[k % 2]},{40 + k}\n" for k in range(12)
)


def files(folder: Path, **texts: str) -> None:
    """Write the input files of a command."""
    for name, text in texts.items():
        (folder / f"input_{name}.csv").write_text(text, encoding="utf-8")


COMMANDS: list[tuple[str, dict[str, str], list[str], tuple[str, ...]]] = [
    (
        "unknown column",
        {"frame": FRAME_LINES},
        ["sample", "{frame}", "--explicit", "province", "--n-schools", "4"],
        ("no column 'province'", "school_id"),
    ),
    (
        "duplicate id",
        {"frame": FRAME_LINES + "S003,N,70\n"},
        ["sample", "{frame}", "--explicit", "region", "--n-schools", "4"],
        ("'school_id'", "S003"),
    ),
    (
        "non-numeric size",
        {"frame": FRAME_LINES + "S012,N,nhiều\n"},
        ["sample", "{frame}", "--explicit", "region", "--n-schools", "4"],
        ("'enrolment'", "numeric", "'nhiều'"),
    ),
    (
        "TCVN3 text",
        {"frame": "school_id,name,enrolment\nS1,Tr\xadêng TiÓu häc Kim §ång,40\nS2,NguyÔn V¨n Cõ,50\n"},
        ["sample", "{frame}", "--n-schools", "1"],
        ("TCVN3", "Trường", "UTF-8"),
    ),
    (
        "truncated file",
        {"frame": FRAME_LINES + "S012,N"},
        ["sample", "{frame}", "--n-schools", "1"],
        ("cut off", "2 of 3 fields"),
    ),
    (
        "lost zeros",
        {"frame": "school_id,province_code,enrolment\nS1,1,40\nS2,79,50\n"},
        ["sample", "{frame}", "--n-schools", "1"],
        ("'province_code'", "'1' in row 2", "leading zeros"),
    ),
    (
        "a response outside the key's codes",
        {"raw": SCORE.format(m1=7), "items": ITEM_LINES},
        ["score", "{raw}", "--items", "{items}"],
        ("M1", "7"),
    ),
    ("no such file", {}, ["sample", "absent.csv", "--n-schools", "1"], ("absent.csv",)),
]


@pytest.mark.parametrize(
    ("texts", "words", "said"), [row[1:] for row in COMMANDS], ids=[row[0] for row in COMMANDS]
)
def test_a_command_refuses_with_status_2_and_writes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    texts: dict[str, str],
    words: list[str],
    said: tuple[str, ...],
) -> None:
    from lsakit.cli.app import run

    files(tmp_path, **texts)
    out = tmp_path / "out"
    places = {name: str(tmp_path / f"input_{name}.csv") for name in texts}
    status = run([*(word.format(**places) for word in words), "--out", str(out)])
    error = capsys.readouterr().err
    assert status == 2, error
    for word in said:
        assert word in error, f"{word!r} is not in: {error}"
    assert "Traceback" not in error
    assert not out.exists() or not list(out.iterdir())


def test_the_installed_command_ends_with_status_2(tmp_path: Path) -> None:
    files(tmp_path, raw=SCORE.format(m1=7), items=ITEM_LINES)
    command = "import sys; from lsakit.cli import main; sys.exit(main())"
    words = ["score", str(tmp_path / "input_raw.csv"), "--items", str(tmp_path / "input_items.csv")]
    done = subprocess.run(
        [sys.executable, "-c", command, *words, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "M1" in done.stderr
    assert "Traceback" not in done.stderr


def test_good_input_passes_the_same_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control: the calls of the table above succeed when nothing is wrong."""
    from lsakit.cli.app import run

    assert draw(FRAME).table.height == 4
    assert means(STUDENTS, by="group").table.height > 0
    assert lk.score_responses(RAW, ITEMS).table.height == 3
    files(tmp_path, raw=SCORE.format(m1=3), items=ITEM_LINES)
    words = ["score", str(tmp_path / "input_raw.csv"), "--items", str(tmp_path / "input_items.csv")]
    assert run([*words, "--out", str(tmp_path / "out")]) == 0
    assert list((tmp_path / "out").iterdir())
