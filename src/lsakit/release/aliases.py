"""The names of IEA studies beside those of PISA, so that users of the IDB Analyzer or RALSA find their way.

The jackknife zones are those of the sample, joined to at most 75: see docs/algorithms/disclosure_control.md.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from lsakit.errors import TableError
from lsakit.io.codebook import Codebook
from lsakit.io.frames import require_columns
from lsakit.randomness import stable_seeds
from lsakit.release.microdata import MicroData

MAX_ZONES = 75
PRIMARY = 5
SENATE_TOTAL = 500.0
COUNTRY_NUMBER = 704
_PLAIN = {
    "CNTSCHID": "IDSCHOOL", "CNTSTUID": "IDSTUD", "W_FSTUWT": "TOTWGT", "SENWT": "SENWGT", "ST004D01T": "ITSEX",
    "ST001D01T": "IDGRADE", "BOOKID": "IDBOOK", "CNT": "IDCNTRY_ISO", "W_SCHGRNRABWT": "SCHWGT",
}  # fmt: skip
_SUBJECTS = {"MATH": "SMMAT", "READ": "SRREA", "SCIE": "SSSCI"}


def iea_name(name: str, *, grade: int) -> str:
    """Give the IEA name of a variable.

    Parameters
    ----------
    name : str
        Name by the convention of PISA.
    grade : int
        Grade: plausible values begin with A in primary grades (up to 5) and with B above.

    Returns
    -------
    str
        The alias; the name itself where IEA has none.

    Examples
    --------
    >>> iea_name("PV3MATH", grade=5), iea_name("PV10READ", grade=9), iea_name("CNTSTUID", grade=5)
    ('ASMMAT03', 'BSRREA10', 'IDSTUD')
    """
    if name.startswith("PV"):
        digits = "".join(letter for letter in name[2:] if letter.isdigit())
        subject = _SUBJECTS.get(name[2 + len(digits) :])
        if subject and digits:
            return f"{'A' if grade <= PRIMARY else 'B'}{subject}{int(digits):02d}"
    return _PLAIN.get(name, name)


def jackknife_zones(units: pl.DataFrame, *, seed: int) -> pl.DataFrame:
    """Give each school its jackknife zone and half.

    Parameters
    ----------
    units : polars.DataFrame
        Variance units: ``school_id``, ``zone`` and ``role`` (1, 2 and, in triplets, 3).
    seed : int
        Seed of who is the doubled half of a zone; a stream per zone.

    Returns
    -------
    polars.DataFrame
        ``school_id``, ``JKZONE`` from 1 to at most 75 and ``JKREP`` 0 or 1; one row per school.

    Raises
    ------
    TableError
        If a column is absent or a role unknown.
    """
    require_columns(units, ["school_id", "zone", "role"], param="variance units")
    schools = units.unique("school_id", keep="first", maintain_order=True).sort("zone", "role")
    if not schools.get_column("role").is_in([1, 2, 3]).all():
        raise TableError("A role of the variance units must be 1, 2 or 3.", param="role")
    names = schools.get_column("zone").cast(pl.String)
    flip = stable_seeds(seed, "release.jackknife", names.to_list()) % np.uint64(2)
    role = schools.get_column("role").to_numpy()
    half = (np.where(role == 2, 1, 0) + flip.astype(np.int64)) % 2
    rank = schools.get_column("zone").rank("dense").to_numpy().astype(np.int64) - 1
    return schools.select("school_id").with_columns(
        pl.Series("JKZONE", rank % MAX_ZONES + 1), pl.Series("JKREP", half)
    )


def with_iea_names(data: MicroData, *, grade: int) -> MicroData:
    """Rename the variables of a release as IEA studies call them.

    Parameters
    ----------
    data : MicroData
        Files under the names of PISA.
    grade : int
        Grade.

    Returns
    -------
    MicroData
        The files with ``IDCNTRY``, ``IDSCHOOL``, ``IDSTUD``, ``TOTWGT``, ``HOUWGT`` and ``SENWGT`` (summing to 500).
    """
    tables, books = {}, {}
    for name, table in data.tables.items():
        names = {column: iea_name(column, grade=grade) for column in table.columns}
        book = data.codebooks[name]
        tables[name] = table.rename(names)
        books[name] = replace(
            book, variables=tuple(replace(one, name=names[one.name], mapping=one.name) for one in book)
        )
    student = tables["student"]
    total, n_rows = float(student.get_column("TOTWGT").sum()), student.height
    tables["student"] = student.with_columns(
        SENWGT=pl.col("TOTWGT") * (SENATE_TOTAL / total), HOUWGT=pl.col("TOTWGT") * (n_rows / total),
        IDCNTRY=pl.lit(COUNTRY_NUMBER, dtype=pl.Int64),
    )  # fmt: skip
    extra = [
        replace(books["student"]["TOTWGT"], name="HOUWGT", mapping="", derivation="TOTWGT × n / Σ TOTWGT"),
        replace(books["student"]["IDSTUD"], name="IDCNTRY", mapping="", type="integer", label="ISO 3166"),
    ]
    senate = replace(books["student"]["SENWGT"], derivation="TOTWGT × 500 / Σ TOTWGT")
    books["student"] = Codebook(
        variables=(*(senate if one.name == "SENWGT" else one for one in books["student"]), *extra),
        file_label=books["student"].file_label,
    )
    return replace(
        data, tables=tables, codebooks=books, school_key="IDSCHOOL", student_key="IDSTUD", weight="TOTWGT"
    )
