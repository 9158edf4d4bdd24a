"""A small study for the tests of the scaling pages: students who answer by a known model, in files as officers send them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from dienrong.scaling import operations, queries
from dienrong.scaling.models import ScalingRun, ScalingStudy, StudyData
from dienrong.scaling.numeric.uploads import Matching

N_STUDENTS = 900
N_CHOICE, N_OPEN = 12, 2
KEYS = "ABCDABCDABCD"
HARDER = "T03"
"""Item that is harder in the south at equal ability, so that fit and DIF have something to say."""
OPTIONS: dict[str, Any] = {
    "model": "gpcm",
    "models": {},
    "rule": "pisa2015",
    "rule_of_values": "",
    "group": "region",
    "reference_group": None,
    "weight": "weight",
    "senate": True,
    "dif_by": ["gender"],
    "rmsd_threshold": 0.12,
    "conditioning": ["gender"],
    "pca_share": None,
    "per_group": False,
    "reported": ["gender"],
    "release": "none",
    "release_alarm": 0.25,
    "link": "none",
    "drift": 0.5,
    "n_values": 5,
    "seed": 2026,
    "scale_mean": 500.0,
    "scale_sd": 100.0,
    "cuts": [450.0, 550.0],
    "until": "values",
}
MATCHING = Matching(
    student_id="student_id",
    is_scored=False,
    item_rule="listed",
    roles={"responses/region": "group", "responses/weight": "weight", "responses/gender": "background"},
    dif=("responses/gender",),
)


def answers(seed: int = 7) -> list[dict[str, Any]]:
    """Let students answer: letters of options, credits, 99 where they left an item out."""
    rng = np.random.default_rng(seed)
    difficulty = np.linspace(-1.6, 1.6, N_CHOICE)
    rows: list[dict[str, Any]] = []
    for number in range(N_STUDENTS):
        region, gender = ("north", "south")[number % 2], ("F", "M")[number // 2 % 2]
        theta = rng.normal(0.2 if region == "north" else -0.1)
        row: dict[str, Any] = {
            "student_id": f"{number + 1:05d}",
            "region": region,
            "gender": gender,
            "weight": 2.0 if region == "north" else 3.5,
        }
        for place in range(N_CHOICE):
            item = f"T{place + 1:02d}"
            shift = 1.6 if item == HARDER and region == "south" else 0.0
            right = rng.random() < 1 / (1 + np.exp(-1.2 * (theta - difficulty[place] - shift)))
            wrong = [letter for letter in "ABCD" if letter != KEYS[place]]
            row[item] = KEYS[place] if right else wrong[int(rng.integers(3))]
            if rng.random() < 0.02:
                row[item] = "99"
        for place in range(N_OPEN):
            score = int(rng.binomial(2, 1 / (1 + np.exp(-(theta - 0.3 * place)))))
            row[f"M{place + 1}"] = str(score)
        rows.append(row)
    return rows


def items() -> list[dict[str, Any]]:
    """List the items as an officer's file does, in Vietnamese."""
    choice = [
        {
            "Mã câu hỏi": f"T{place + 1:02d}",
            "Dạng": "trắc nghiệm",
            "Đáp án": KEYS[place],
            "Điểm tối đa": 1,
            "Nhãn": f"Phép đo số {place + 1}",
        }
        for place in range(N_CHOICE)
    ]
    constructed = [
        {
            "Mã câu hỏi": f"M{place + 1}",
            "Dạng": "tự luận",
            "Đáp án": "",
            "Điểm tối đa": 2,
            "Nhãn": "Giải bài toán có lời văn",
        }
        for place in range(N_OPEN)
    ]
    return choice + constructed


def csv_bytes(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")


def sent(name: str, rows: Sequence[dict[str, Any]]) -> operations.SentFile:
    """Give rows as a file that is sent."""
    return operations.SentFile(name=name, chunks=[csv_bytes(rows)])


@pytest.fixture
def data_folder(settings, tmp_path) -> None:
    """Put files that are sent into a folder of the test."""
    settings.DATA_DIR = tmp_path


@pytest.fixture
def study(cycle, ministry, data_folder) -> ScalingStudy:
    """A study without data."""
    new = operations.NewStudy(title="Toán lớp 5", subject="maths", grade=5)
    return operations.create_study(cycle=cycle, new=new, by=ministry)


@pytest.fixture
def frozen(study, ministry) -> StudyData:
    """The data of the study, from files, frozen."""
    files = {"responses": sent("tra-loi.csv", answers()), "items": sent("cau-hoi.csv", items())}
    draft = operations.send_files(study=study, files=files, by=ministry)
    draft = operations.match_columns(data=draft, matching=MATCHING, by=ministry)
    return operations.freeze_data(data=draft, by=ministry)


@pytest.fixture
def make_scaling(study, frozen, ministry) -> Callable[..., ScalingRun]:
    """Run the study in this process."""

    def make(**changes: Any) -> ScalingRun:
        run = operations.request_run(
            study=study, options={**OPTIONS, **changes}, by=ministry, in_background=False
        )
        operations.execute_run(run, progress=lambda _text, _share: None)
        return queries.run_by_pk(run.pk)

    return make


@pytest.fixture
def scaled(make_scaling) -> ScalingRun:
    """A run that is done."""
    run = make_scaling()
    assert run.state == "done", run.refusal
    return run
