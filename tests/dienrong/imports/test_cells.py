"""One cell becomes one clean value, or a fault that says why not."""

from __future__ import annotations

import datetime as dt
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dienrong.core.text import search_key
from dienrong.imports.numeric.cells import CellRule, clean
from dienrong.imports.numeric.texts import legacy_evidence, repaired, spelling_key

TODAY = dt.date(2026, 11, 22)
TEXT = CellRule()
INTEGER = CellRule(kind="integer", low=0, high=100_000)
DECIMAL = CellRule(kind="decimal")
DATE = CellRule(kind="date")
PROVINCE = CellRule(kind="code", width=2)
SCHOOL = CellRule(kind="code", width=8, is_opaque=True, max_length=20)


def value(raw, rule):
    found = clean(raw, rule, today=TODAY)
    assert found.fault is None, found.fault
    return found.value


def fault(raw, rule):
    found = clean(raw, rule, today=TODAY)
    assert found.value is None
    return found.fault.code


@pytest.mark.parametrize(
    ("raw", "kept"),
    [(1.0, "01"), (1, "01"), ("1", "01"), ("01", "01"), (" 1 ", "01"), ("79", "79")],
)
def test_a_province_code_gets_its_lost_zero_back(raw, kept) -> None:
    assert value(raw, PROVINCE) == kept


def test_restored_zeros_are_counted_as_a_repair() -> None:
    assert clean(1.0, PROVINCE, today=TODAY).repairs == ("zeros",)
    assert clean("01", PROVINCE, today=TODAY).repairs == ()


def test_a_school_code_is_opaque_but_a_number_of_seven_digits_lost_its_zero() -> None:
    assert value(1000001.0, SCHOOL) == "01000001"
    assert value("A-17/b", SCHOOL) == "A-17/b"
    assert value("646254170", SCHOOL) == "646254170"


def test_twelve_digits_survive_excel_and_eighteen_do_not() -> None:
    personal = CellRule(kind="code", width=12)
    assert value(1215000123.0, personal) == "001215000123"
    assert fault(123456789012345678.0, SCHOOL) == "digits_lost"
    assert fault("1,23E+11", personal) == "power_of_ten"
    assert fault("12345678901234", personal) == "code_width"
    assert fault(dt.date(2026, 1, 2), PROVINCE) == "code_became_date"
    assert value("0012 1500 0123", personal) == "001215000123"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("1.234", 1234),
        ("1 234", 1234),
        ("1,234", 1234),
        ("1.234,00", 1234),
        ("1\u00a0234", 1234),
        (1234.0, 1234),
        ("12", 12),
    ],
)
def test_whole_numbers_typed_as_text(raw, kept) -> None:
    assert value(raw, INTEGER) == kept


@pytest.mark.parametrize("raw", ["12,5", 12.5, "mười", True, "1.23.4", "--", "12 em"])
def test_what_is_no_whole_number_is_refused(raw) -> None:
    assert fault(raw, INTEGER) == "not_a_whole_number"


def test_bounds_hold() -> None:
    assert fault(-1.0, INTEGER) == "out_of_bounds"
    assert fault("200.000", INTEGER) == "out_of_bounds"


@pytest.mark.parametrize(
    ("raw", "kept"),
    [("12,5", 12.5), ("1.234,5", 1234.5), ("12.5", 12.5), ("1.234", 1234.0), ("45%", 0.45), ("98,7%", 0.987)],
)
def test_decimal_commas_and_percents(raw, kept) -> None:
    assert value(raw, DECIMAL) == pytest.approx(kept)


def test_a_latitude_with_a_dot_is_no_thousand() -> None:
    """21.028 is read as 21 thousand by the rule of this country; only 21.028 degrees lie in it."""
    assert value("21.028", CellRule(kind="decimal", low=8, high=24)) == 21.028


@pytest.mark.parametrize(
    "raw",
    [
        "5/9/15",
        "05/09/2015",
        "5-9-2015",
        "5.9.2015",
        "2015-09-05",
        "2015-09-05 00:00:00",
        "05092015",
        42252.0,
        "42252",
        dt.date(2015, 9, 5),
        dt.datetime(2015, 9, 5),
        "\u200b05/09/2015\u00a0",
    ],
)
def test_dates_in_every_form_people_type(raw) -> None:
    assert value(raw, DATE) == "2015-09-05"


def test_two_digits_of_a_year_never_lie_more_than_a_year_ahead() -> None:
    assert value("1/1/27", DATE) == "2027-01-01"
    assert value("1/1/28", DATE) == "1928-01-01"
    assert value("1/1/75", DATE) == "1975-01-01"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("12/31/2015", "month_first"),
        ("31/02/2015", "no_such_day"),
        (2015.0, "year_alone"),
        ("hôm qua", "not_a_date"),
        (True, "not_a_date"),
        (1e9, "not_a_date"),
        ("01/01/0015", "no_such_day"),
    ],
)
def test_dates_that_could_mean_something_else_are_refused(raw, code) -> None:
    assert fault(raw, DATE) == code


def test_words_of_a_list_in_any_spelling() -> None:
    rule = CellRule(kind="choice", words={search_key("Nữ"): "female", "nam": "male", "1": "male"})
    for raw in ("Nữ", "nữ", "NỮ", "nu", unicodedata.normalize("NFD", "Nữ")):
        assert value(raw, rule) == "female"
    assert value(1.0, rule) == "male"
    assert fault("Khác", rule) == "unknown_word"


def test_several_levels_in_one_cell() -> None:
    words = {"th": "TH", "thcs": "THCS", "thpt": "THPT", "cap 1": "TH"}
    rule = CellRule(kind="choices", words=words)
    for raw in ("TH&THCS", "THCS, TH", "TH-THCS", "TH và THCS", "Cấp 1; THCS"):
        assert value(raw, rule) == "TH-THCS"
    assert fault("TH & Đại học", rule) == "unknown_word"


@pytest.mark.parametrize("raw", ["Có", "x", "X", 1.0, True, "yes", "co\u0301"])
def test_yes(raw) -> None:
    assert value(raw, CellRule(kind="yes_no")) is True


@pytest.mark.parametrize("raw", ["Không", "0", 0.0, False, "no", "khong"])
def test_no(raw) -> None:
    assert value(raw, CellRule(kind="yes_no")) is False


def test_an_error_of_a_formula_is_no_text() -> None:
    assert fault("#N/A", TEXT) == "formula_error"


@pytest.mark.parametrize("raw", [None, "", "  ", "\u200b", "\u00a0", "-"])
def test_nothing_is_nothing(raw) -> None:
    for rule in (TEXT, INTEGER, DATE, PROVINCE, CellRule(kind="yes_no")):
        assert clean(raw, rule, today=TODAY).value is None
        assert clean(raw, rule, today=TODAY).fault is None


def test_a_cell_of_an_old_font_is_converted_on_its_own_evidence() -> None:
    assert repaired("NguyÔn V¨n B×nh") == ("Nguyễn Văn Bình", ("tcvn3",))
    assert repaired("Nguyeãn Thò Höông") == ("Nguyễn Thị Hương", ("vni",))


def test_one_word_alone_needs_the_evidence_of_the_file() -> None:
    assert repaired("NguyÔn An") == ("NguyÔn An", ())
    known = legacy_evidence(["NguyÔn An", "TrÇn Hoa", "Lª B×nh"])
    assert known == {"tcvn3"}
    assert repaired("NguyÔn An", known) == ("Nguyễn An", ("tcvn3",))


@pytest.mark.parametrize(
    "text", ["École Française", "Café Zürich", "Nguyễn Văn Bình", "H'Hen Niê", "Y Moan Êban", "Hồ"]
)
def test_text_in_unicode_is_left_alone(text) -> None:
    assert repaired(text, frozenset({"tcvn3", "vni"})) == (text, ())


def test_repairs_of_text_are_named() -> None:
    decomposed = unicodedata.normalize("NFD", "Hòa Bình")
    assert repaired(decomposed) == ("Hòa Bình", ("composed",))
    assert repaired("Hòa\u00a0Bình\u200b") == ("Hòa Bình", ("invisible",))
    assert repaired("  Hòa   Bình ") == ("Hòa Bình", ("blanks",))


def test_two_spellings_of_tone_marks_have_one_key() -> None:
    for first, second in [("hòa", "hoà"), ("Thủy", "Thuỷ"), ("Khánh Hòa", "Khánh Hoà"), ("quý", "qúy")]:
        assert spelling_key(first) == spelling_key(second)
    assert spelling_key("Hòa") != spelling_key("Hóa")
    assert spelling_key("hòa") != spelling_key("Hòa")


@given(
    st.dates(dt.date(1930, 1, 1), dt.date(2027, 12, 31)),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]),
)
def test_every_date_survives_every_form(day: dt.date, form: str) -> None:
    assert value(day.strftime(form), DATE) == day.isoformat()
    serial = (day - dt.date(1899, 12, 30)).days
    assert value(float(serial), DATE) == day.isoformat()


@given(st.integers(10**9, 10**12 - 1))
def test_every_code_of_twelve_digits_survives_becoming_a_number(number: int) -> None:
    rule = CellRule(kind="code", width=12)
    assert value(float(number), rule) == value(str(number), rule) == f"{number:012d}"


@given(st.integers(0, 10**9 - 1))
def test_a_long_code_that_misses_more_than_two_digits_is_refused(number: int) -> None:
    rule = CellRule(kind="code", width=12)
    assert fault(float(number), rule) == fault(str(number), rule) == "code_width"


@given(st.integers(0, 99_999))
def test_every_count_survives_every_way_of_writing_it(number: int) -> None:
    dotted = f"{number:,}".replace(",", ".")
    for raw in (number, float(number), str(number), dotted, dotted.replace(".", " "), dotted + ",0"):
        assert value(raw, INTEGER) == number


@given(st.text(max_size=60).filter(lambda text: "\u00ad" not in text))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once, _repairs = repaired(text)
    assert repaired(once) == (once, ())
    assert unicodedata.is_normalized("NFC", once)


@given(
    st.one_of(
        st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.none(), st.dates(), st.datetimes()
    )
)
def test_no_cell_breaks_the_reading(raw) -> None:
    for kind in ("text", "code", "choice", "choices", "integer", "decimal", "date", "yes_no"):
        found = clean(raw, CellRule(kind=kind, width=5, words={"a": "A"}), today=TODAY)
        assert found.fault is None or found.value is None
