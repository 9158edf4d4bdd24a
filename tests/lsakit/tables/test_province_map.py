"""The tile map: every province once, neighbors near, islands where they belong, nothing hidden."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import polars as pl
import pytest

import standard_rows as rows
from lsakit.datasets.units import communes, provinces
from lsakit.errors import EstimationError
from lsakit.tables.standard_figures import NARROW, Scope, province_map, province_tiles
from lsakit.tables.standard_figures.maps import COLUMNS, ROWS

# Some borders on land, from north to south, by code.
NEIGHBORS = [
    ("12", "15"), ("15", "08"), ("08", "04"), ("04", "20"), ("11", "14"), ("14", "25"), ("25", "01"), ("01", "24"),
    ("24", "22"), ("22", "31"), ("31", "33"), ("33", "37"), ("37", "38"), ("38", "40"), ("40", "42"), ("42", "44"),
    ("44", "46"), ("46", "48"), ("48", "51"), ("51", "52"), ("52", "66"), ("66", "56"), ("56", "68"), ("68", "75"),
    ("75", "79"), ("79", "80"), ("80", "82"), ("82", "86"), ("82", "92"), ("86", "92"), ("91", "92"), ("91", "96"),
    ("92", "96"),
]  # fmt: skip


def scope(language: str = "vi", **more: object) -> Scope:
    return Scope(population="grade5", subject="maths", language=language, **more)


def whole() -> pl.DataFrame:
    made = []
    for place, code in enumerate(provinces()["code"]):
        hidden = code == "11"
        made.append(rows.row("mean", "province_code", code, 470.0 + 2 * place, 3.0, hidden=hidden))
        made.append(
            rows.row("difference_to_nation", "province_code", code, -34.0 + 2 * place, 3.0, hidden=hidden)
        )
    return rows.table(made)


def words(svg: str) -> list[str]:
    return [
        "".join(node.itertext())
        for node in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    ]


def test_every_province_stands_once_and_no_tile_covers_another() -> None:
    tiles = province_tiles()
    assert sorted(tiles["code"]) == sorted(provinces()["code"])
    assert tiles.select("column", "row").is_unique().all()
    assert tiles["column"].max() < COLUMNS
    assert tiles["row"].max() == ROWS - 1


def test_the_names_on_the_tiles_are_those_of_the_provinces() -> None:
    joined = province_tiles().join(provinces(), on="code")
    assert joined["short"].to_list() == joined["name"].to_list()


def test_every_special_zone_is_noted_with_its_province() -> None:
    zones = communes().filter(pl.col("kind") == "special_zone")
    wanted = set(zones.select("province_code", "name").rows())
    noted = {
        (code, island)
        for code, islands in province_tiles().select("code", "islands").rows()
        for island in islands.split("; ")
        if island
    }
    assert noted == wanted


@pytest.mark.parametrize(("one", "other"), NEIGHBORS)
def test_neighbors_touch(one: str, other: str) -> None:
    at = {
        code: (column, row) for code, column, row in province_tiles().select("code", "column", "row").rows()
    }
    (x, y), (u, v) = at[one], at[other]
    assert max(abs(x - u), abs(y - v)) == 1


def test_the_north_is_above_the_south() -> None:
    tiles = province_tiles().join(provinces(), on="code")
    middle = dict(tiles.group_by("region6").agg(pl.col("row").mean()).rows())
    order = ["northern_mountains", "red_river_delta", "north_central", "south_central_highlands", "southeast"]
    assert [middle[region] for region in order] == sorted(middle[region] for region in order)
    assert middle["mekong_delta"] == max(middle.values())


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_map_shows_names_means_classes_and_archipelagos(language: str) -> None:
    figure = province_map(whole(), scope(language))
    shown = words(figure.svg)
    assert {
        "Hà Nội",
        "Cà Mau",
        "470",
        "Quần đảo Hoàng Sa" if language == "vi" else "Hoàng Sa archipelago",
    } <= set(shown)
    assert any("Trường Sa" in word for word in shown)
    assert "476" not in shown  # Điện Biên, which is not published
    assert "linearGradient" in figure.svg
    assert {Text for Text in shown if "không công bố" in Text or "not published" in Text}
    assert "Điện Biên (" in figure.note
    assert len(figure.svg.encode()) <= 60_000
    assert len(figure.table.rows) == 2 * 34


def test_the_narrow_map_keeps_every_name() -> None:
    figure = province_map(whole(), scope(layout=NARROW))
    shown = " ".join(words(figure.svg))
    for name in provinces()["name"]:
        assert all(part in shown for part in name.split())


def test_a_code_without_tile_is_refused() -> None:
    made = rows.table([rows.row("difference_to_nation", "province_code", "99", 1.0, 1.0)])
    with pytest.raises(EstimationError, match="No tile of the map stands for 99"):
        province_map(made, scope())
