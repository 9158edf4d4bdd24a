"""Where the schools of a register lie and how they are reached: synthetic, and only roughly in place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lsakit.datasets.register_layout import KINDS, Layout
from lsakit.datasets.register_names import Namer, plain_letters
from lsakit.datasets.school_register import Floats, Ints, NationUnits
from lsakit.datasets.units import read_data_file

KM_PER_DEGREE = 111.2
LARGEST_KM_IN_COMMUNE = 3.0
PHONE_STEP = 3_334_567  # coprime to 10**7, so that no number is given twice


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Hold in which unit each school lies.

    Parameters
    ----------
    commune : ndarray of shape (n_schools,)
        Position of the commune.
    province : ndarray of shape (n_schools,)
        Position of the province.
    ward : ndarray of shape (n_schools,)
        Whether the commune is a ward.
    """

    commune: Ints
    province: Ints
    ward: NDArray[np.bool_]


def anchors() -> pl.DataFrame:
    """List the places about which communes and schools are scattered; coarse, from general knowledge.

    Returns
    -------
    polars.DataFrame
        unit_code (a province, or a special zone, which lies elsewhere), name, latitude and longitude in
        degrees, radius_km.
    """
    table = read_data_file("place_anchors.csv")
    return table.with_columns(pl.col("latitude", "longitude", "radius_km").cast(pl.Float64))


def country_box() -> dict[str, float]:
    """Give the box in which every place of a register lies, islands included.

    Returns
    -------
    dict of str to float
        south, north, west, east in degrees.
    """
    return {"south": 7.5, "north": 23.5, "west": 102.0, "east": 115.0}


def name_register(rng: np.random.Generator, layout: Layout, nation: NationUnits) -> list[str]:
    """Name every school.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the names.
    layout : Layout
        One value per school, the schools of a commune together.
    nation : NationUnits
        Provinces and communes.

    Returns
    -------
    list of str of shape (n_schools,)
        Names, none nearly like another of its commune.
    """
    starts = rng.integers(0, 10_000, len(layout.kind)).tolist()
    places = nation.communes.select("code", "name", "province_code").rows()
    namer = Namer()
    names = []
    columns = (layout.kind, layout.commune, layout.sector, layout.boarding, layout.ward)
    for start, kind, commune, sector, boarding, ward in zip(
        starts, *(column.tolist() for column in columns), strict=True
    ):
        one = KINDS[kind]
        prefix = one.prefix
        if boarding != "none":
            word = "PTDTBT" if boarding == "semi_boarding" else "PTDTNT"
            prefix = f"Trường {word} {one.levels}"
        if sector != "public":
            prefix += " tư thục" if sector == "private" else " dân lập"
        trait = "kindergarten" if one.kind == "kindergarten" else "private" if sector == "private" else ""
        names.append(
            namer.name(prefix, commune=places[commune], trait=trait, is_ward=bool(ward), start=start)
        )
    return names


def locate(rng: np.random.Generator, where: Where, nation: NationUnits) -> tuple[Floats, Floats]:
    """Scatter communes about the anchors of their province, and schools about their commune.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the places.
    where : Where
        Units of the schools.
    nation : NationUnits
        Provinces and communes.

    Returns
    -------
    latitude : ndarray of shape (n_schools,)
        Degrees north, six decimals.
    longitude : ndarray of shape (n_schools,)
        Degrees east, six decimals.
    """
    table = anchors()
    codes = table.get_column("unit_code").to_numpy()
    radius = table.get_column("radius_km").to_numpy()
    at = table.select("latitude", "longitude").to_numpy()
    n_communes = nation.communes.height
    anchor = np.zeros(n_communes, dtype=np.int64)
    draw = rng.random(n_communes)
    commune_codes = nation.communes.get_column("code").to_numpy()
    for code in np.unique(nation.communes.get_column("province_code").to_numpy()):
        inside = np.flatnonzero(nation.communes.get_column("province_code").to_numpy() == code)
        own = np.flatnonzero(codes == code)
        steps = np.cumsum(radius[own] ** 2) / np.sum(radius[own] ** 2)
        anchor[inside] = own[np.minimum(np.searchsorted(steps, draw[inside]), len(own) - 1)]
    island = {code: place for place, code in enumerate(codes.tolist()) if len(code) == 5}
    for place, code in enumerate(commune_codes.tolist()):
        anchor[place] = island.get(code, anchor[place])
    centre = scatter(rng, at[anchor], radius[anchor] * (1 - np.char.str_len(codes[anchor].astype(str)) // 5))
    reach = np.minimum(LARGEST_KM_IN_COMMUNE, radius[anchor])
    schools = np.round(scatter(rng, centre[where.commune], reach[where.commune]), 6)
    return schools[:, 0], schools[:, 1]


def scatter(rng: np.random.Generator, centre: Floats, radius_km: Floats) -> Floats:
    """Draw one point in the disc about each centre, evenly over its area.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the places.
    centre : ndarray of shape (n_points, 2)
        Latitude and longitude in degrees.
    radius_km : ndarray of shape (n_points,)
        Radius of each disc in kilometres.

    Returns
    -------
    ndarray of shape (n_points, 2)
        Latitude and longitude in degrees.
    """
    distance = radius_km * np.sqrt(rng.random(len(centre))) / KM_PER_DEGREE
    angle = 2 * np.pi * rng.random(len(centre))
    north = distance * np.sin(angle)
    east = distance * np.cos(angle) / np.cos(np.radians(centre[:, 0]))
    return np.stack([centre[:, 0] + north, centre[:, 1] + east], axis=1)


def contact_table(
    rng: np.random.Generator, names: list[str], where: Where, nation: NationUnits, first_year: int
) -> pl.DataFrame:
    """Write addresses, telephones, e-mails and founding days.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the contacts.
    names : list of str of shape (n_schools,)
        Names of the schools.
    where : Where
        Units of the schools.
    nation : NationUnits
        Provinces and communes.
    first_year : int
        Every school was founded before it.

    Returns
    -------
    polars.DataFrame
        address, phone (ten digits that begin with 050, a block that no operator has), email (under the
        reserved ending "example"), founded_date.
    """
    n = len(names)
    streets = read_data_file("school_names.csv").filter(pl.col("kind") == "ward").get_column("name").to_list()
    number, street = rng.integers(1, 400, n).tolist(), rng.integers(0, len(streets), n).tolist()
    communes = nation.communes.select("code", "full_name").rows()
    provinces = nation.provinces.select("code", "full_name").rows()
    serial = (np.arange(n) + int(rng.integers(0, 10**7))) * PHONE_STEP % 10**7
    year = np.minimum(1955 + np.floor(65 * np.sqrt(rng.random(n))).astype(np.int64), first_year - 1)
    day = rng.integers(0, 365, n)
    addresses, emails = [], []
    rows = zip(
        names,
        where.commune.tolist(),
        where.province.tolist(),
        where.ward.tolist(),
        number,
        street,
        strict=True,
    )
    for name, commune, province, ward, house, road in rows:
        code, full_name = communes[commune]
        province_code, province_name = provinces[province]
        spot = f"Số {house} đường {streets[road]}" if ward else f"Thôn {house % 15 + 1}"
        addresses.append(f"{spot}, {full_name}, {province_name}")
        own = plain_letters(name).removeprefix("truong ").removeprefix("trung tam ").replace(" ", "")
        emails.append(f"{own[:40]}.{code}@tinh{province_code}.example")
    return pl.DataFrame(
        {
            "address": addresses,
            "phone": [f"050{place:07d}" for place in serial.tolist()],
            "email": emails,
            "founded_date": (year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + day,
        }
    )


def school_codes(rng: np.random.Generator, n: int) -> list[str]:
    """Draw distinct opaque codes of eight digits; some begin with zero, as real codes do.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream of the codes.
    n : int
        How many.

    Returns
    -------
    list of str of shape (n,)
        Codes in rising order.
    """
    drawn: Ints = np.sort(rng.choice(10**8, size=n, replace=False))
    return [f"{number:08d}" for number in rng.permutation(drawn).tolist()]
