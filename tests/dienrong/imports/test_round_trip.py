"""Whatever is kept: downloaded in the template's layout, it reads as what is kept, so that it changes nothing."""

from __future__ import annotations

import datetime as dt
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dienrong.imports import files, samples
from dienrong.imports.columns import Column, targets
from dienrong.imports.matching import guess, mapping_of
from dienrong.imports.numeric.sheets import Book
from dienrong.imports.reading import Reader, layout_of

TODAY = dt.date(2026, 11, 22)
LETTERS = "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằầèềìòồờùừỳ" + string.ascii_uppercase + "ĐÁÀẠ0123456789&',.-/"
NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=6).map(" ".join)


def cells(column: Column) -> st.SearchStrategy:
    """Give the values that a column may keep."""
    digits = st.text("0123456789", min_size=column.width or 8, max_size=column.width or 8)
    kept = {
        "text": NAMES.map(lambda text: text[: column.max_length].strip()).filter(
            lambda text: text.strip("-–")
        ),
        "code": digits,
        "choice": st.sampled_from([choice.code for choice in column.choices] or [""]),
        "choices": st.sampled_from(
            ["TH", "THCS", "TH-THCS", "THCS-THPT", "MN", "MN-TH", "TH-THCS-THPT", "GDTX"]
        ),
        "integer": st.integers(int(column.low or 0), int(column.high or 9_999)),
        "decimal": st.floats(column.low or 0.0, column.high or 1.0).map(lambda number: round(number, 6)),
        "date": st.dates(dt.date(1901, 1, 1), dt.date(2026, 12, 31)).map(dt.date.isoformat),
        "yes_no": st.booleans(),
    }[column.kind]
    return kept if column.is_required else st.none() | kept


@pytest.mark.parametrize("code", [target.code for target in targets()])
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_what_is_written_is_read_again(code: str, data: st.DataObject) -> None:
    target = next(target for target in targets() if target.code == code)
    row = st.fixed_dictionaries({column.code: cells(column) for column in target.columns})
    rows = data.draw(st.lists(row, min_size=1, max_size=4))
    book = Book(files.table_of(target, rows))
    layout = layout_of(book, target)
    mapping = mapping_of(guess(target, layout.header.names, layout.samples, today=TODAY))
    assert len(mapping) == len(target.columns)
    reader = Reader(book, layout, target, mapping, today=TODAY)
    found = [(dict(row.values), row.problems) for row in reader.rows()]
    wanted = [{name: value for name, value in row.items() if value is not None} for row in rows]
    assert found == [(values, ()) for values in wanted]
    assert reader.tally.repairs == {}


def test_sample_files_hold_their_mistakes_and_no_others(registry) -> None:
    from dienrong.accounts.permissions import Scope

    wrong = {"mau-truong": 3, "mau-quy-mo": 1, "mau-hoc-sinh": 3}
    for name, (code, _title) in samples.TITLES.items():
        target = next(target for target in targets() if target.code == code)
        book = Book(samples.made(name, Scope(is_national=True)))
        layout = layout_of(book, target)
        mapping = mapping_of(guess(target, layout.header.names, layout.samples, today=TODAY))
        rows = list(Reader(book, layout, target, mapping, today=TODAY).rows())
        found = sum(bool(row.problems) for row in rows)
        assert found in (wrong[name], wrong[name] - 1), (name, [row.problems for row in rows if row.problems])


def test_samples_are_offered_in_a_demonstration_alone(registry, officer, signed_in, settings) -> None:
    import dataclasses

    client = signed_in(officer)
    assert client.get("/nhap-du-lieu/tep-mau/mau-truong.xlsx").status_code == 404
    settings.OPTIONS = dataclasses.replace(settings.OPTIONS, demo=True)
    assert client.get("/nhap-du-lieu/tep-mau/mau-truong.xlsx").status_code == 200
    assert client.get("/nhap-du-lieu/tep-mau/mau-khac.xlsx").status_code == 404
    assert "Tệp mẫu để thử" in client.get("/nhap-du-lieu").content.decode()
