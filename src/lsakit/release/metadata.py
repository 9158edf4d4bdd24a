"""Metadata of a release that other catalogues read: DataCite JSON and DDI-Codebook 2.5.

The schemas are those of DataCite 4.6 and of the DDI Alliance (Codebook 2.5.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as Xml

from lsakit.io.codebook import Codebook, Variable
from lsakit.release.description import Description

NAMESPACE = "ddi:codebook:2_5"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_ANONYMISED = {
    "vi": "Tệp đã qua kiểm soát tiết lộ; không cố tìm cách nhận ra học sinh, giáo viên hoặc trường.",
    "en": "The files passed disclosure control; do not try to identify a student, teacher or school.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedFile:
    """One data file as metadata name it.

    Parameters
    ----------
    name : str
        File name.
    codebook : Codebook
        Its variables.
    n_rows : int
        Rows.
    """

    name: str
    codebook: Codebook
    n_rows: int


def datacite_json(description: Description, *, n_bytes: int, formats: Sequence[str]) -> str:
    """Write the metadata that a DOI is registered with.

    Parameters
    ----------
    description : Description
        The release.
    n_bytes : int
        Size of all files, in bytes.
    formats : Sequence of str
        File formats, such as ``"application/x-spss-sav"``.

    Returns
    -------
    str
        DataCite metadata as JSON.
    """
    identifier = {"identifier": description.identifier, "identifierType": "Local"}
    rights = {"rights": description.license_name, "rightsUri": description.license_url, "lang": "en"}
    document: dict[str, Any] = {
        "schemaVersion": "http://datacite.org/schema/kernel-4",
        "identifiers": [identifier],
        "creators": [{"name": description.publisher_vi, "nameType": "Organizational", "lang": "vi"}],
        "titles": [
            {"title": description.title_vi, "lang": "vi"},
            {"title": description.title_en, "titleType": "TranslatedTitle", "lang": "en"},
        ],
        "publisher": {"name": description.publisher_en, "lang": "en"},
        "publicationYear": str(description.year),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Survey microdata"},
        "dates": [{"date": description.published_on, "dateType": "Issued"}],
        "language": "vi",
        "version": description.version,
        "sizes": [f"{n_bytes} bytes"],
        "formats": list(formats),
        "rightsList": [rights],
        "descriptions": [
            {"description": description.population_vi, "descriptionType": "Abstract", "lang": "vi"},
            {"description": description.population_en, "descriptionType": "Abstract", "lang": "en"},
        ],
        "geoLocations": [{"geoLocationPlace": "Viet Nam"}],
    }
    if description.doi:
        document["doi"] = description.doi
    if description.url:
        document["url"] = description.url
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def ddi_xml(description: Description, files: Sequence[DescribedFile]) -> bytes:
    """Write DDI-Codebook 2.5.

    Parameters
    ----------
    description : Description
        The release.
    files : Sequence of DescribedFile
        Its data files.

    Returns
    -------
    bytes
        The document, in UTF-8.
    """
    Xml.register_namespace("", NAMESPACE)
    root = Xml.Element(_tag("codeBook"), {"version": "2.5", f"{_XML}lang": "vi"})
    _study(_add(root, "stdyDscr"), description)
    for number, one in enumerate(files, start=1):
        _file(_add(root, "fileDscr", ID=f"F{number}"), one)
    data = _add(root, "dataDscr")
    for number, one in enumerate(files, start=1):
        for place, variable in enumerate(one.codebook, start=1):
            _variable(data, variable, name=f"F{number}V{place}", file=f"F{number}")
    Xml.indent(root, space=" ")
    return bytes(Xml.tostring(root, encoding="UTF-8", xml_declaration=True))


def _tag(name: str) -> str:
    """Name an element of the schema."""
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: Xml.Element, name: str, text: str = "", **attributes: str) -> Xml.Element:
    """Add an element; ``lang`` becomes xml:lang."""
    given = {f"{_XML}lang" if key == "lang" else key: value for key, value in attributes.items()}
    child = Xml.SubElement(parent, _tag(name), given)
    if text:
        child.text = text
    return child


def _study(study: Xml.Element, description: Description) -> None:
    """Describe the study, in the order of the schema."""
    citation = _add(study, "citation")
    titles = _add(citation, "titlStmt")
    _add(titles, "titl", description.title_vi, lang="vi")
    _add(titles, "parTitl", description.title_en, lang="en")
    _add(titles, "IDNo", description.identifier)
    if description.doi:
        _add(titles, "IDNo", description.doi, agency="DOI")
    _add(_add(citation, "rspStmt"), "AuthEnty", description.publisher_vi, lang="vi")
    _add(_add(citation, "prodStmt"), "producer", description.publisher_en, lang="en")
    distribution = _add(citation, "distStmt")
    _add(distribution, "distrbtr", description.publisher_vi, lang="vi")
    _add(distribution, "distDate", description.published_on, date=description.published_on)
    _add(_add(citation, "verStmt"), "version", description.version, date=description.published_on)
    _add(citation, "biblCit", description.citation("vi"), lang="vi")
    info = _add(study, "stdyInfo")
    _add(info, "abstract", description.population_vi, lang="vi")
    _add(info, "abstract", description.population_en, lang="en")
    summary = _add(info, "sumDscr")
    _add(summary, "nation", "Viet Nam", abbr="VNM")
    _add(summary, "anlyUnit", "Students and schools", lang="en")
    _add(summary, "universe", description.population_en, lang="en")
    _add(summary, "dataKind", "Survey data", lang="en")
    collection = _add(_add(study, "method"), "dataColl")
    _add(
        collection,
        "sampProc",
        "Stratified two-stage sample: schools with probability proportional to size.",
        lang="en",
    )
    _add(collection, "weight", "W_FSTUWT; replicates W_FSTURWT1 to W_FSTURWT80, Fay 0.5.", lang="en")
    use = _add(_add(study, "dataAccs"), "useStmt")
    for language, sentence in _ANONYMISED.items():
        _add(use, "confDec", sentence, lang=language)
    _add(use, "citReq", description.citation("en"), lang="en")
    _add(use, "conditions", f"{description.license_name} {description.license_url}".strip(), lang="en")


def _file(node: Xml.Element, one: DescribedFile) -> None:
    """Describe a data file."""
    text = _add(node, "fileTxt")
    _add(text, "fileName", one.name)
    if one.codebook.file_label:
        _add(text, "fileCont", one.codebook.file_label)
    size = _add(text, "dimensns")
    _add(size, "caseQnty", str(one.n_rows))
    _add(size, "varQnty", str(len(one.codebook.variables)))


def _variable(parent: Xml.Element, variable: Variable, *, name: str, file: str) -> None:
    """Describe a variable, in the order of the schema."""
    is_text = variable.type == "text"
    node = _add(parent, "var", ID=name, files=file, intrvl="discrete" if variable.values else "contin")
    node.set("name", variable.name)
    if variable.decimals is not None:
        node.set("dcml", str(variable.decimals))
    if variable.width is not None:
        _add(node, "location", width=str(variable.width), fileid=file)
    if variable.label:
        _add(node, "labl", variable.label, lang="vi")
    if variable.label_en:
        _add(node, "labl", variable.label_en, lang="en")
    if variable.question:
        _add(_add(node, "qstn"), "qstnLit", variable.question)
    if variable.valid_range is not None:
        low, high = variable.valid_range
        _add(_add(node, "valrng"), "range", min=f"{low:.10g}", max=f"{high:.10g}")
    if variable.missing:
        invalid = _add(node, "invalrng")
        for code in variable.missing:
            _add(invalid, "item", VALUE=str(code))
    for code, label in _categories(variable).items():
        category = _add(node, "catgry", **({"missing": "Y"} if code in variable.missing else {}))
        _add(category, "catValu", str(code))
        _add(category, "labl", label)
    if variable.derivation:
        _add(_add(node, "derivation"), "drvdesc", variable.derivation)
    _add(node, "varFormat", type="character" if is_text else "numeric", schema="other")


def _categories(variable: Variable) -> Mapping[Any, str]:
    """List the labelled codes."""
    return variable.values
