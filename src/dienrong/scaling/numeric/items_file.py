"""The items file: names of columns as people write them, formats, keys, highest scores."""

from __future__ import annotations

from typing import Any

import polars as pl

from dienrong.scaling.numeric.faults import Faults

COLUMNS: dict[str, tuple[str, ...]] = {
    "item": ("item", "item_id", "mã câu hỏi", "ma cau hoi", "câu hỏi", "cau hoi", "mã", "name"),
    "format": ("format", "type", "item_format", "dạng", "dang", "loại", "loai", "hình thức"),
    "key": ("key", "đáp án", "dap an", "answer"),
    "max_score": ("max_score", "maxscore", "max", "điểm tối đa", "diem toi da", "points"),
    "n_options": ("n_options", "options", "số phương án", "so phuong an"),
    "cluster": ("cluster", "block", "khối", "khoi", "cụm"),
    "position": ("position", "order", "vị trí", "vi tri", "thứ tự"),
    "domain": ("domain", "content", "nội dung", "noi dung", "mạch", "lĩnh vực"),
    "label": ("label", "title", "nhãn", "nhan", "tên câu hỏi", "mô tả"),
}
FORMATS = {
    "mc": "mc", "tn": "mc", "trắc nghiệm": "mc", "trac nghiem": "mc", "multiple choice": "mc",
    "cr": "cr", "tl": "cr", "tự luận": "cr", "tu luan": "cr", "constructed response": "cr", "open": "cr",
}  # fmt: skip
NUMBERS = ("max_score", "n_options", "position")
MOST_SCORE = 9
LETTERS = {letter: place for place, letter in enumerate("ABCDEFGH", start=1)}


def read_items(table: pl.DataFrame, faults: Faults) -> pl.DataFrame:
    """Read an items table whose columns may be named in Vietnamese or English.

    Parameters
    ----------
    table : polars.DataFrame
        The file as it came.
    faults : Faults
        Where what is wrong is noted.

    Returns
    -------
    polars.DataFrame
        Columns item, format, key, max_score, and of n_options, cluster, position, domain, label those that the
        file has.
    """
    found = _named(table)
    if "item" not in found:
        faults.add("items_without_name", file="items", value=", ".join(table.columns[:6]))
        return _empty()
    names = table.get_column(found["item"]).cast(pl.String).str.strip_chars()
    for row in (names.is_null() | (names == "")).arg_true().to_list():
        faults.add("id_missing", file="items", row=row, column=found["item"])
    for row in (names.is_duplicated() & ~names.is_first_distinct()).arg_true().to_list():
        faults.add("item_twice", file="items", row=row, column=found["item"], value=str(names[row]))
    columns: dict[str, Any] = {"item": names}
    for name in NUMBERS:
        if name in found:
            columns[name] = _numbers(table.get_column(found[name]), faults)
    for name in ("cluster", "domain", "label"):
        if name in found:
            columns[name] = table.get_column(found[name]).cast(pl.String).str.strip_chars()
    columns["key"] = _keys(table.get_column(found["key"]), faults) if "key" in found else None
    columns["format"] = _formats(table, found, columns["key"], faults)
    out = pl.DataFrame(
        [
            pl.Series(name, values) if values is not None else pl.Series(name, [None] * table.height)
            for name, values in columns.items()
        ]
    )
    if "max_score" not in out.columns:
        out = out.with_columns(max_score=pl.lit(1, dtype=pl.Int64))
    out = out.with_columns(pl.col("max_score").fill_null(1))
    _check_keys(out, faults)
    return out.unique("item", keep="first", maintain_order=True)


def _named(table: pl.DataFrame) -> dict[str, str]:
    """Find the columns by the names that people give them."""
    by_name = {name.strip().lower(): name for name in table.columns}
    found = {}
    for field, known in COLUMNS.items():
        name = next((by_name[word] for word in known if word in by_name), None)
        if name is not None:
            found[field] = name
    return found


def _empty() -> pl.DataFrame:
    """Give an items table without items."""
    kinds = {"item": pl.String, "format": pl.String, "key": pl.Int64, "max_score": pl.Int64}
    return pl.DataFrame(schema=kinds)


def _numbers(series: pl.Series, faults: Faults) -> pl.Series:
    """Read whole numbers; a cell that is none is a fault."""
    found = series.cast(pl.Float64, strict=False)
    bad = series.is_not_null() & (found.is_null() | (found != found.floor()))
    for row in bad.fill_null(value=False).arg_true().to_list():
        faults.add("not_whole", file="items", row=row, column=series.name, value=str(series[row]))
    return found.cast(pl.Int64, strict=False)


def _keys(series: pl.Series, faults: Faults) -> pl.Series:
    """Read keys: numbers of options or their letters."""
    keys: list[int | None] = []
    for row, value in enumerate(series.to_list()):
        text = "" if value is None else str(value).strip().upper().removesuffix(".0")
        if text in LETTERS:
            keys.append(LETTERS[text])
        elif text.isdigit():
            keys.append(int(text))
        else:
            keys.append(None)
            if text not in ("", "NA", "-", "–"):
                faults.add("key", file="items", row=row, column=series.name, value=str(value))
    return pl.Series("key", keys, dtype=pl.Int64)


def _formats(
    table: pl.DataFrame, found: dict[str, str], keys: pl.Series | None, faults: Faults
) -> list[str | None]:
    """Read formats; without such a column an item with a key is multiple choice, another is not."""
    if "format" not in found:
        known = [None] * table.height if keys is None else keys.to_list()
        return ["cr" if key is None else "mc" for key in known]
    out: list[str | None] = []
    for row, value in enumerate(table.get_column(found["format"]).to_list()):
        text = "" if value is None else str(value).strip().lower()
        out.append(FORMATS.get(text, "cr"))
        if text not in FORMATS:
            faults.add("format", file="items", row=row, column=found["format"], value=str(value))
    return out


def _check_keys(items: pl.DataFrame, faults: Faults) -> None:
    """Look for choices without key and scores that no item has."""
    for row, one in enumerate(items.iter_rows(named=True)):
        if one["format"] == "mc" and (one["key"] is None or one["key"] < 1):
            faults.add("no_key", file="items", row=row, column="key", value=str(one["item"]))
        if not 1 <= one["max_score"] <= MOST_SCORE:
            faults.add("max_score", file="items", row=row, column="max_score", value=str(one["max_score"]))
        elif one["format"] == "mc" and one["max_score"] != 1:
            faults.add("mc_score", file="items", row=row, column="max_score", value=str(one["item"]))
