"""The page for people, made from the description for machines: sections, addresses, parameters, examples."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

TITLES = {
    "me": gettext_lazy("The key itself"),
    "units": gettext_lazy("Administrative units"),
    "schools": gettext_lazy("Schools"),
    "frame": gettext_lazy("The list that samples are drawn from"),
    "rosters": gettext_lazy("Rosters"),
    "scores": gettext_lazy("Data quality"),
    "imports": gettext_lazy("Imports"),
}
OK = ("200", "201", "202")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One parameter or one field: its name, its form in words, what it means."""

    name: str
    form: str
    text: str
    is_required: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Line, ...]
    body: tuple[Line, ...]
    fields: tuple[Line, ...]
    is_list: bool
    example: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The addresses of one kind of thing."""

    name: str
    title: str
    addresses: tuple[Address, ...]


def sections_of(spec: Mapping[str, Any], host: str) -> list[Section]:
    """Cut a description into sections.

    Parameters
    ----------
    spec : mapping
        The OpenAPI document, its sentences in the reader's language.
    host : str
        Address of this site, for the examples.

    Returns
    -------
    list of Section
        In the order of the description.
    """
    found: dict[str, list[Address]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            address = _address(spec, path, method, operation, host)
            found.setdefault(operation["tags"][0], []).append(address)
    return [
        Section(name=tag, title=str(TITLES.get(tag, tag)), addresses=tuple(addresses))
        for tag, addresses in found.items()
    ]


def _address(
    spec: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], host: str
) -> Address:
    """Write one method of one address."""
    content = operation.get("requestBody", {}).get("content", {})
    body = _resolved(spec, next(iter(content.values()))["schema"]) if content else {}
    answer = _resolved(spec, _answer_schema(operation))
    is_list = {"items", "next"} <= set(answer.get("properties", {}))
    shown = _resolved(spec, answer["properties"]["items"]["items"]) if is_list else answer
    return Address(
        anchor=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters=tuple(_parameters(spec, operation)),
        body=tuple(_fields(spec, body)),
        fields=tuple(_fields(spec, shown)),
        is_list=is_list,
        example=_example(path, method, operation, body, host),
    )


def _answer_schema(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the schema of the good answer."""
    answer = next((operation["responses"][status] for status in OK if status in operation["responses"]), {})
    schema: Mapping[str, Any] = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _resolved(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to its schema."""
    if "$ref" in schema:
        followed: Mapping[str, Any] = spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return followed
    return schema


def _parameters(spec: Mapping[str, Any], operation: Mapping[str, Any]) -> Iterator[Line]:
    """Write the parameters of an operation."""
    for parameter in operation["parameters"]:
        yield Line(
            name=parameter["name"],
            form=_form(spec, parameter["schema"]),
            text=parameter.get("description", ""),
            is_required=parameter["required"],
        )


def _fields(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Line]:
    """Write the fields of an object, those of an object inside it as ``outer.inner``."""
    required = set(schema.get("required", ()))
    for name, field in schema.get("properties", {}).items():
        yield Line(
            name=name,
            form=_form(spec, field),
            text=field.get("description", ""),
            is_required=name in required,
        )
        inner = _inner(spec, field)
        if inner:
            for line in _fields(spec, inner):
                yield dataclasses.replace(line, name=f"{name}.{line.name}")


def _inner(spec: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the object that a field holds, itself or in a list; None where it holds none."""
    candidates = [field, *field.get("anyOf", ()), field.get("items", {})]
    return next((_resolved(spec, item) for item in candidates if "$ref" in item), None)


def _form(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Say in words what form a value has."""
    options = schema.get("anyOf")
    if options:
        kinds = [_form(spec, option) for option in options if option.get("type") != "null"]
        empty = [_("or null")] if any(option.get("type") == "null" for option in options) else []
        return " ".join([*dict.fromkeys(kinds), *empty])
    if "enum" in schema:
        return " · ".join(str(word) for word in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = "object" if "$ref" in schema else str(schema.get("type", ""))
    formats = {
        "date": _("date, such as 2026-09-05"),
        "date-time": _("moment, such as 2026-09-05T00:00:00+07:00"),
    }
    words = {
        "string": formats.get(schema.get("format", ""), _("text")),
        "integer": _("whole number"),
        "number": _("number"),
        "boolean": "true · false",
        "array": _("list"),
        "object": _("object"),
    }
    if kind == "integer" and "maximum" in schema:
        return _("whole number from %(low)s to %(high)s") % {
            "low": schema.get("minimum", 0),
            "high": schema["maximum"],
        }
    return words.get(kind, kind)


def _example(path: str, method: str, operation: Mapping[str, Any], body: Mapping[str, Any], host: str) -> str:
    """Write an example as a line of curl."""
    query = []
    for parameter in operation["parameters"]:
        shown = parameter["schema"].get("examples")
        if parameter["in"] == "path":
            options = parameter["schema"].get("enum") or ["…"]
            path = path.replace("{" + parameter["name"] + "}", str(shown[0] if shown else options[-1]))
        elif parameter["in"] == "query" and shown:
            query.append(f"{parameter['name']}={shown[0]}")
    address = f"{host}{path}" + (f"?{'&'.join(query)}" if query else "")
    parts = ["curl", *(["-X", "POST"] if method == "post" else []), "-H", '"Authorization: Bearer $TOKEN"']
    if body:
        example = (body.get("examples") or [{}])[0]
        parts += ["-H", '"Content-Type: application/json"']
        parts += ["-d", shlex.quote(json.dumps(example, ensure_ascii=False))]
    return " ".join([*parts, f'"{address}"'])
