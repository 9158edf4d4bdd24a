"""The codebook: one row per variable, with labels, missing codes, legal values and disclosure class.

A codebook travels with a table through every file format (docs/algorithms/files.md says what each one keeps)
and can be checked against the data it describes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from lsakit.errors import TableError, UnknownColumnError
from lsakit.io.frames import as_table, make_table, refuse_duplicates, require_columns

if TYPE_CHECKING:
    from lsakit.io.codebook_checks import Finding

Code = int | float | str

MISSING_KINDS: Mapping[str, str] = {
    "V": "Valid skip",
    "R": "Not reached",
    "N": "Not administered",
    "I": "Invalid",
    "M": "Omitted",
    "D": "Suppressed for disclosure",
    "U": "Missing, kind not stated",
}
TYPES = ("integer", "number", "text", "date", "datetime", "boolean")
DISCLOSURE = ("public", "restricted", "delete")
SCHEMA = "lsakit.codebook/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One variable of a file.

    Parameters
    ----------
    name : str
        Column name.
    label, label_en : str, default ""
        What it is, in Vietnamese or the file's own language, and in English.
    type : {"integer", "number", "text", "date", "datetime", "boolean"}, default "number"
        Kind of its values.
    width, decimals : int, optional
        Characters it takes, and digits after the decimal mark.
    values : Mapping of code to str
        Label of each code, missing codes included.
    missing : Mapping of code to {"V", "R", "N", "I", "M", "D", "U"}
        User-missing codes and what each means: valid skip, not reached, not administered, invalid, omitted,
        disclosure-suppressed; ``"U"`` where the file does not say.
    missing_range : tuple of float, optional
        Lowest and highest value of a range that is missing as a whole (SPSS).
    valid_range : tuple of float, optional
        Lowest and highest legal value, in the variable's unit.
    identifier : bool, default False
        Whether it is a code of exactly ``width`` characters, so that leading zeros count.
    disclosure : {"public", "restricted", "delete"}, default "public"
        Which release may hold it.
    file, question, routing, mapping, derivation : str, default ""
        Its file, source question, routing condition, name in other programmes, and formula if derived.

    Raises
    ------
    TableError
        If a kind, class or range is not one of these.
    """

    name: str
    label: str = ""
    label_en: str = ""
    type: str = "number"
    width: int | None = None
    decimals: int | None = None
    values: Mapping[Code, str] = field(default_factory=dict)
    missing: Mapping[Code, str] = field(default_factory=dict)
    missing_range: tuple[float, float] | None = None
    valid_range: tuple[float, float] | None = None
    identifier: bool = False
    disclosure: str = "public"
    file: str = ""
    question: str = ""
    routing: str = ""
    mapping: str = ""
    derivation: str = ""

    def __post_init__(self) -> None:
        """Refuse what the field does not allow."""
        self._require("type", self.type, TYPES)
        self._require("disclosure", self.disclosure, DISCLOSURE)
        for kind in self.missing.values():
            self._require("missing", kind, tuple(MISSING_KINDS))
        for param in ("missing_range", "valid_range"):
            span = getattr(self, param)
            if span is not None and not span[0] <= span[1]:
                raise TableError(
                    f"The {param!r} of variable {self.name!r} must rise. Got {span[0]} to {span[1]}.",
                    param=param,
                    got=span,
                )
        if self.identifier and not self.width:
            raise TableError(
                f"The variable {self.name!r} is an identifier and needs its width.",
                hint="Give the number of characters, such as width=2 for a province.",
                param="width",
            )

    def _require(self, param: str, got: str, allowed: Sequence[str]) -> None:
        """Refuse a word that is not in a closed list."""
        if got not in allowed:
            raise TableError(
                f"The {param!r} of variable {self.name!r} must be one of {', '.join(allowed)}. Got {got!r}.",
                param=param,
                got=got,
            )

    def is_missing(self, value: Code) -> bool:
        """Tell whether a value is a user-missing code of this variable.

        Parameters
        ----------
        value : int or float or str
            A value of the column.

        Returns
        -------
        bool
            Whether it is one of the missing codes or lies in the missing range.
        """
        if value in self.missing:
            return True
        return (
            self.missing_range is not None
            and not isinstance(value, str)
            and self.missing_range[0] <= value <= self.missing_range[1]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Codebook:
    """The variables of a file, in the order of its columns.

    Parameters
    ----------
    variables : tuple of Variable
        One per column; each name once.
    file_label : str, default ""
        What the file is.

    Raises
    ------
    TableError
        If a name stands twice.

    Examples
    --------
    >>> values = {1: "Có", 2: "Không", 9: "Bỏ trống"}
    >>> book = Codebook(variables=(Variable(name="Q1", type="integer", values=values, missing={9: "M"}),))
    >>> book["Q1"].is_missing(9)
    True
    >>> Codebook.from_table(book.to_table()) == book
    True
    """

    variables: tuple[Variable, ...] = ()
    file_label: str = ""

    def __post_init__(self) -> None:
        """Refuse a variable that is described twice."""
        if len(set(self.names)) != len(self.variables):
            refuse_duplicates(make_table({"name": list(self.names)}), "name", param="codebook")

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names in order."""
        return tuple(variable.name for variable in self.variables)

    def __iter__(self) -> Iterator[Variable]:
        return iter(self.variables)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> Variable:
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise UnknownColumnError(
            f"The codebook has no variable {name!r}.",
            hint=f"It describes: {', '.join(self.names[:12])}.",
            param=name,
            got=self.names,
        )

    def select(self, names: Sequence[str]) -> Codebook:
        """Keep some variables, in the order asked for.

        Parameters
        ----------
        names : Sequence of str
            Variables; those that the codebook does not describe are left out.

        Returns
        -------
        Codebook
            The smaller codebook.
        """
        have = {variable.name: variable for variable in self.variables}
        return replace(self, variables=tuple(have[name] for name in names if name in have))

    def check(self, table: Any) -> tuple[Finding, ...]:
        """Compare a table with its codebook.

        Parameters
        ----------
        table : polars.DataFrame or pandas.DataFrame or Mapping of str to array
            The data.

        Returns
        -------
        tuple of Finding
            Wild codes and values out of range (C4), missing codes that are also legal values (C7), and
            columns that only one of the two has; empty when all agree.
        """
        from lsakit.io.codebook_checks import check_codebook

        return check_codebook(self, as_table(table))

    def to_table(self) -> pl.DataFrame:
        """Lay the codebook out as a table, one row per variable.

        Returns
        -------
        polars.DataFrame
            The fields as columns; value labels and missing codes as lines ``code = label``.
        """
        rows = [_variable_row(variable) for variable in self.variables]
        return pl.DataFrame(rows, schema=_TABLE_SCHEMA, orient="row")

    @classmethod
    def from_table(cls, table: Any, *, file_label: str = "") -> Codebook:
        """Read a codebook that lies in a table.

        Parameters
        ----------
        table : polars.DataFrame or pandas.DataFrame or Mapping of str to array
            One row per variable, with at least the column ``name``; what is absent or empty is the default.
        file_label : str, default ""
            What the file is.

        Returns
        -------
        Codebook
            The same codebook.

        Raises
        ------
        TableError
            If a cell cannot be understood; the variable is named.
        """
        rows = as_table(table)
        require_columns(rows, ["name"], param="codebook")
        return cls(
            variables=tuple(_row_variable(row) for row in rows.iter_rows(named=True)), file_label=file_label
        )

    def to_json(self) -> str:
        """Write the codebook as JSON.

        Returns
        -------
        str
            One object per variable, defaults left out.
        """
        rows = []
        for variable in self.variables:
            row = {slot.name: getattr(variable, slot.name) for slot in fields(variable)}
            row["values"] = [[code, label] for code, label in variable.values.items()]
            row["missing"] = [[code, kind] for code, kind in variable.missing.items()]
            rows.append({key: value for key, value in row.items() if value not in ("", None, [], False)})
        document = {"schema": SCHEMA, "file_label": self.file_label, "variables": rows}
        return json.dumps(document, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Codebook:
        """Read a codebook from JSON.

        Parameters
        ----------
        text : str
            What ``to_json`` wrote.

        Returns
        -------
        Codebook
            The same codebook.

        Raises
        ------
        TableError
            If the text is not a codebook of this schema.
        """
        try:
            document = json.loads(text)
            if document.get("schema") != SCHEMA:
                raise TableError(
                    f"The codebook must have schema {SCHEMA!r}. Got {document.get('schema')!r}.",
                    param="schema",
                )
            return cls(
                variables=tuple(_document_variable(row) for row in document["variables"]),
                file_label=document.get("file_label", ""),
            )
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise TableError(
                f"The text is not a codebook in JSON: {error}.", hint="Write one with Codebook.to_json."
            ) from error

    @classmethod
    def read(cls, path: str | Path) -> Codebook:
        """Read the codebook that a file carries.

        Parameters
        ----------
        path : str or Path
            A ``.json`` or ``.xlsx`` codebook, or a data file (``.sav``, ``.zsav``, ``.dta``, ``.parquet``,
            ``.csv``) with its labels.

        Returns
        -------
        Codebook
            The codebook; empty entries where the file says nothing.

        Raises
        ------
        FileFormatError
            If the file cannot be read.
        """
        from lsakit.io.codebook_files import read_codebook

        return read_codebook(Path(path))

    def write(self, path: str | Path) -> None:
        """Write the codebook as a file of its own.

        Parameters
        ----------
        path : str or Path
            Where; ``.json`` or ``.xlsx``.

        Raises
        ------
        FileFormatError
            If the extension is another one or the folder cannot be written.
        """
        from lsakit.io.codebook_files import write_codebook

        write_codebook(self, Path(path))


_TABLE_SCHEMA: dict[str, Any] = {
    "name": pl.String,
    "label": pl.String,
    "label_en": pl.String,
    "type": pl.String,
    "width": pl.Int64,
    "decimals": pl.Int64,
    "values": pl.String,
    "missing": pl.String,
    "missing_low": pl.Float64,
    "missing_high": pl.Float64,
    "valid_low": pl.Float64,
    "valid_high": pl.Float64,
    "identifier": pl.Boolean,
    "disclosure": pl.String,
    "file": pl.String,
    "question": pl.String,
    "routing": pl.String,
    "mapping": pl.String,
    "derivation": pl.String,
}


def _variable_row(variable: Variable) -> list[Any]:
    """Lay one variable out in the order of the table's columns."""
    spans = {
        "missing_low": variable.missing_range and variable.missing_range[0],
        "missing_high": variable.missing_range and variable.missing_range[1],
        "valid_low": variable.valid_range and variable.valid_range[0],
        "valid_high": variable.valid_range and variable.valid_range[1],
        "values": _lines(variable.values),
        "missing": _lines(variable.missing),
    }
    return [spans[name] if name in spans else getattr(variable, name) for name in _TABLE_SCHEMA]


def _lines(pairs: Mapping[Code, str]) -> str:
    """Write codes and labels one per line; a code that holds ``=`` or a line break is quoted as JSON."""
    lines = []
    for code, label in pairs.items():
        plain = str(code)
        awkward = isinstance(code, str) and (
            not plain or plain != plain.strip() or set(plain) & set('="\n\\\r')
        )
        left = json.dumps(code, ensure_ascii=False) if awkward else plain
        lines.append(f"{left} = {label}".replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n"))
    return "\n".join(lines)


def _unescape(line: str) -> str:
    """Undo the escapes of line breaks and backslashes."""
    marks = {"n": "\n", "r": "\r", "\\": "\\"}
    out, pending = [], False
    for letter in line:
        if pending:
            out.append(marks.get(letter, letter))
            pending = False
        elif letter == "\\":
            pending = True
        else:
            out.append(letter)
    return "".join(out)


def _pairs(text: str, *, is_text: bool, name: str) -> dict[Code, str]:
    """Read lines ``code = label``."""
    pairs: dict[Code, str] = {}
    for raw in text.split("\n"):
        line = _unescape(raw)
        if line.strip():
            code, label = _pair(line, is_text=is_text, name=name)
            pairs[code] = label
    return pairs


def _pair(line: str, *, is_text: bool, name: str) -> tuple[Code, str]:
    """Split one line into its code and its label."""
    try:
        if line.startswith('"'):
            left, end = json.JSONDecoder().raw_decode(line)
            mark, label = line[end : end + 3], line[end + 3 :]
        else:
            left, mark, label = line.partition(" = ")
            if not mark:
                left, mark, label = (part.strip() for part in line.partition("="))
        if "=" not in mark:
            raise ValueError("it has no '=' sign")
        return (left if is_text else as_code(left)), label
    except ValueError as error:
        raise TableError(
            f"The codebook entry {line!r} of variable {name!r} cannot be understood: {error}.",
            hint="Write one line per code, such as '9 = Bỏ trống'.",
            param=name,
            got=line,
        ) from error


def as_code(text: str) -> int | float:
    """Read a numeric code.

    Parameters
    ----------
    text : str
        Digits.

    Returns
    -------
    int or float
        An integer where the number is whole.

    Raises
    ------
    ValueError
        If it is no number.
    """
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _span(low: Any, high: Any) -> tuple[float, float] | None:
    """Join the two ends of a range, or neither."""
    return None if low is None or high is None else (float(low), float(high))


def _row_variable(row: Mapping[str, Any]) -> Variable:
    """Read one row of a codebook table."""
    name = str(row["name"])
    kind = str(row.get("type") or "number")
    is_text = kind == "text"
    known: dict[str, Any] = {
        slot.name: row[slot.name] for slot in fields(Variable) if row.get(slot.name) not in (None, "")
    }
    known |= {
        "name": name,
        "type": kind,
        "values": _pairs(str(row.get("values") or ""), is_text=is_text, name=name),
        "missing": _pairs(str(row.get("missing") or ""), is_text=is_text, name=name),
        "missing_range": _span(row.get("missing_low"), row.get("missing_high")),
        "valid_range": _span(row.get("valid_low"), row.get("valid_high")),
    }
    return Variable(**known)


def _document_variable(row: Mapping[str, Any]) -> Variable:
    """Read one variable of a JSON codebook."""
    known = dict(row)
    for param in ("values", "missing"):
        known[param] = dict(row.get(param, []))
    for param in ("missing_range", "valid_range"):
        if row.get(param) is not None:
            known[param] = (float(row[param][0]), float(row[param][1]))
    return Variable(**known)
