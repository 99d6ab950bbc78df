"""The model for people: JSON Schemas for their editors, and the README's tables of all keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import structs

from dify_gitops.input.model import Amount, Environment, Model, Platform
from dify_gitops.input.profiles import PROFILES
from dify_gitops.input.specs import INT, Keys, Leaf, ListOf, MapOf, keys, one_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.input.specs import Field, Spec

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_FOLDER: Final = "dify_gitops"
_AMOUNT: Final = f"#/$defs/{Amount.__name__}"


def schemas() -> dict[str, str]:
    """Path below the repository → JSON Schema, the same bytes for the same model."""
    return {
        f"{_FOLDER}/environment.schema.json": _schema(Environment, "environments/<name>.yaml of dify-gitops"),
        f"{_FOLDER}/platform.schema.json": _schema(Platform, "platform.yaml of dify-gitops"),
    }


def _schema(model: type[Model], title: str) -> str:
    definitions: dict[str, Any] = msgspec.json.schema(model)["$defs"]
    for definition in definitions.values():
        if not definition.get("required"):
            definition.pop("required", None)
        for value in definition.get("properties", {}).values():
            # A section's keys have defaults of their own; repeated here an editor would insert them all.
            if value.get("$ref", _AMOUNT) != _AMOUNT:
                value.pop("default", None)
    # Nowhere required: what is left out of requests and limits keeps its default.
    definitions.get(Amount.__name__, {}).pop("required", None)
    root = definitions.pop(model.__name__)
    schema = {"$schema": _DIALECT, **root, "title": title, "$defs": definitions}
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


# One per column of defaults: label of a set of values (pools share a column) → attribute name → value.
_Columns = list[dict[str, dict[str, Any]]]
_ALIKE: Final = 3  # from so many on, sections with the same keys are described once


def input_tables() -> str:
    """Markdown: every key of both files, what it is, what it may be, and its default in each profile."""
    environment = _rows(keys(Environment), "", [{"": _profile("prod")}, {"": _profile("dev")}])
    platform = _rows(keys(Platform), "", [{"": keys(Platform).defaults()}])
    lines = (
        "| `environments/<name>.yaml` | what it is | value | in prod | in dev |",
        "|---|---|---|---|---|",
        *environment,
        "",
        "| `platform.yaml` | what it is | value | default |",
        "|---|---|---|---|",
        *platform,
    )
    return "\n".join(lines) + "\n"


def _profile(name: str) -> dict[str, Any]:
    required = {"project": "any-project", "region": "any-region1", "domain": "any.example"}
    whole = msgspec.convert({**PROFILES[name], **required, "profile": name}, Environment)
    return {attribute: value for attribute, value in structs.asdict(whole).items() if attribute not in required}


def _rows(spec: Keys, prefix: str, columns: _Columns) -> Iterator[str]:
    for key, field in spec.fields.items():
        path, inner = f"{prefix}{key}", field.spec
        below = [{label: values.get(field.name) for label, values in column.items()} for column in columns]
        if isinstance(inner, Keys):
            yield _line(path, field, "", ["none" if inner.optional else "" for _ in columns])
            alike = [name for name, other in spec.fields.items() if other.spec == inner]
            if len(alike) < _ALIKE or key == alike[-1]:
                path = path if len(alike) < _ALIKE else f"{prefix}<each>"
                yield from _rows(inner, f"{path}.", [_values(inner, column) for column in below])
        elif isinstance(inner, MapOf) and isinstance(inner.item, Keys):
            yield _line(path, field, "", ["" for _ in columns])
            pools = [{**(column[""] or {}), "others": None} for column in below]
            yield from _rows(inner.item, f"{path}.<name>.", [_values(inner.item, pool) for pool in pools])
        elif isinstance(inner, ListOf) and isinstance(inner.item, Keys):
            yield _line(path, field, "list", ["none" for _ in columns])
            yield from _rows(inner.item, f"{path}[].", [{"": {}} for _ in columns])
        else:
            yield _line(path, field, _words(inner), [_default(field, column) for column in below])


def _values(spec: Keys, column: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of a section; where there is none, the defaults that it would have."""
    return {label: spec.defaults() if value is None else structs.asdict(value) for label, value in column.items()}


def _default(field: Field, column: dict[str, Any]) -> str:
    if field.required and not any(column.values()):
        return "**required**"
    cells = {label: _cell(value) for label, value in column.items()}
    if len(set(cells.values())) == 1:
        return next(iter(cells.values()))
    return ", ".join(f"{label} {cell}" for label, cell in cells.items())


def _cell(value: Any) -> str:
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(str, value))}]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _words(spec: Spec) -> str:
    """What a value is, without an article."""
    if isinstance(spec, ListOf):
        return f"list: {_words(spec.item)}"
    if isinstance(spec, MapOf):
        return f"{_words(spec.key)}: {_words(spec.item)}"
    if isinstance(spec, Leaf) and spec.kind == INT:
        return f"{spec.ge} to {spec.le}"
    if isinstance(spec, Leaf) and spec.choices:
        return one_of(tuple(f"`{choice}`" for choice in spec.choices))
    return spec.what.removeprefix("a ").removeprefix("an ").removeprefix("the ")


def _line(path: str, field: Field, words: str, defaults: list[str]) -> str:
    cells = [f"`{path}`", field.description, words, *defaults]
    return "|" + "|".join(f" {cell} " if cell else " " for cell in (cell.replace("|", "\\|") for cell in cells)) + "|"
