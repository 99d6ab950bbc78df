"""Turns CustomResourceDefinitions into our own facts: `python tools/crd_to_kinds.py SOURCE_DIR...`.

Each SOURCE_DIR holds the files of one project and is named `<project>-v<version>`; what dify_gitops/kinds/
held of the same project is replaced. Every structural keyword is kept and nothing else: a keyword that
this program does not know is an error, so that no rule is ever lost in silence.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from dify_gitops.kinds import FOLDER, KindFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDTH = 110  # a value that fits into this many columns stays on one line
VALUES = frozenset(
    "type required enum pattern format nullable default minimum maximum exclusiveMinimum exclusiveMaximum "
    "multipleOf minLength maxLength minItems maxItems uniqueItems minProperties maxProperties "
    "x-kubernetes-int-or-string x-kubernetes-preserve-unknown-fields x-kubernetes-embedded-resource "
    "x-kubernetes-list-type x-kubernetes-list-map-keys x-kubernetes-map-type".split()
)
PROSE = frozenset({"description", "title", "example", "externalDocs"})
RULE_FACTS = ("rule", "reason", "fieldPath", "optionalOldSelf")  # a CEL rule without its messages

# Google makes these definitions at run time; public catalogues hold JSON schemas read from a cluster.
CATALOG = "CRDs-catalog v0.0.13-0.20260820183220-7b1e26ef9dee"
JSON_SCHEMAS = {
    "backendconfig_v1": ("cloud.google.com", "v1", "BackendConfig", "backendconfigs"),
    "frontendconfig_v1beta1": ("networking.gke.io", "v1beta1", "FrontendConfig", "frontendconfigs"),
    "managedcertificate_v1": None,  # has a definition of its own
}

README = """\
# Facts about custom kinds

One file per served version of each custom kind that the generator writes or expects, at the version pinned
below: group, scope, subresources and the structural schema (fields, types, required, allowed values,
patterns, defaults, list keys, CEL rules) without any prose. kubeconform's schemas are made of them. What the
schemas of Config Connector's kinds do not say stands in constraints/, which is written by hand.

Do not edit the JSON files. To refresh, put the CRD files of a project into a folder named
`<project>-v<version>` and run

    python tools/crd_to_kinds.py FOLDER...

Facts of projects that are not named stay as they are; this page is written anew.

| origin | kinds |
|---|---|
"""


class ConversionError(Exception):
    """A definition says something that this program would lose or that kubeconform could not use."""


def facts_of(schema: dict[str, Any], where: str) -> dict[str, Any]:
    """Return `schema` without prose; goes by position, since a property may be named `properties`.

    `where` is the path for messages. Raises ConversionError.
    """
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        here = f"{where}.{keyword}"
        if keyword in PROSE:
            continue
        if keyword == "pattern":
            _require_re2(value, here)
        if keyword in VALUES:
            result[keyword] = value
        elif keyword == "properties":
            result[keyword] = {name: facts_of(child, f"{here}.{name}") for name, child in value.items()}
        elif keyword in ("allOf", "anyOf", "oneOf"):
            result[keyword] = [facts_of(child, f"{here}[{i}]") for i, child in enumerate(value)]
        elif keyword in ("items", "not", "additionalProperties"):
            result[keyword] = value if isinstance(value, bool) else facts_of(value, here)
        elif keyword == "x-kubernetes-validations":
            result[keyword] = [{key: rule[key] for key in RULE_FACTS if key in rule} for rule in value]
        else:
            raise ConversionError(f"{here}: unknown keyword; teach it to this program")
    return result


def _require_re2(pattern: str, where: str) -> None:
    """Refuse what RE2 cannot: kubeconform takes a schema that does not compile for a missing one."""
    bare = re.sub(r"\[\^?\]?[^]]*\]", "", re.sub(r"\\[^1-9]", "", pattern))
    if re.search(r"\(\?<?[=!]|\\[1-9]", bare):
        raise ConversionError(f"{where}: look-around or back-reference in {pattern!r}")


def from_crd(crd: dict[str, Any], origin: str) -> Iterator[KindFacts]:
    """Yield the facts of each served version of a CustomResourceDefinition. Raises ConversionError."""
    spec = crd["spec"]
    for version in spec["versions"]:
        if version["served"]:
            yield KindFacts(
                group=spec["group"],
                version=version["name"],
                kind=spec["names"]["kind"],
                plural=spec["names"]["plural"],
                scope=spec["scope"],
                origin=origin,
                storage=version["storage"],
                subresources=version.get("subresources", {}),
                schema=facts_of(version["schema"]["openAPIV3Schema"], f"{crd['metadata']['name']}/{version['name']}"),
            )


def from_json_schema(path: Path) -> Iterator[KindFacts]:
    """Yield the facts of a JSON schema listed in JSON_SCHEMAS. Raises ConversionError."""
    if path.stem not in JSON_SCHEMAS:
        raise ConversionError(f"{path}: group, kind and plural unknown; add the file to JSON_SCHEMAS")
    if identity := JSON_SCHEMAS[path.stem]:
        group, version, kind, plural = identity
        schema = _reopened(facts_of(json.loads(path.read_bytes()), path.name))
        yield KindFacts(group, version, kind, plural, "Namespaced", CATALOG, True, {}, schema)  # noqa: FBT003


def _reopened(schema: dict[str, Any]) -> dict[str, Any]:
    """Undo the catalogue's `additionalProperties: false`, which a structural schema must not carry."""
    result = {key: value for key, value in schema.items() if (key, value) != ("additionalProperties", False)}
    if "properties" in result:
        result["properties"] = {name: _reopened(child) for name, child in result["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(result.get(keyword), dict):
            result[keyword] = _reopened(result[keyword])
    return result


def read_folder(folder: Path) -> Iterator[KindFacts]:
    """Yield the facts of every definition below `folder`. Raises ConversionError."""
    for path in sorted(folder.rglob("*.json")):
        yield from from_json_schema(path)
    for path in sorted(folder.rglob("*.yaml")):
        match = re.fullmatch(r"(.+)-(v\d.*)", folder.name)
        if not match:
            raise ConversionError(f"{folder}: the name must read <project>-v<version>")
        for document in yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader):
            if document and document["kind"] == "CustomResourceDefinition":
                yield from from_crd(document, f"{match[1]} {match[2]}")


def dump(value: Any, indent: int = 0, taken: int = 0) -> str:
    """Return stable JSON: keys sorted, what fits on a line on one line, so that a diff shows single fields.

    `taken` columns of the first line are in use already.
    """
    flat = json.dumps(value, sort_keys=True, ensure_ascii=False)
    if indent + taken + len(flat) <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    pad = " " * (indent + 1)
    if isinstance(value, list):
        inner = [dump(item, indent + 1) for item in value]
    else:
        keys = {key: f"{json.dumps(key)}: " for key in sorted(value)}
        inner = [start + dump(value[key], indent + 1, len(start)) for key, start in keys.items()]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return opening + "\n" + ",\n".join(pad + item for item in inner) + f"\n{pad[1:]}{closing}"


def render(kind: KindFacts) -> str:
    """Return the text of a facts file: one line per header field, then the schema."""
    fields = msgspec.to_builtins(kind).items()
    return "{\n" + ",\n".join(f" {json.dumps(key)}: {dump(value, 1)}" for key, value in fields) + "\n}\n"


def readme(kinds: Iterable[KindFacts]) -> str:
    """Return the page that says what the folder holds and where it comes from."""
    origins: dict[str, set[str]] = {}
    for kind in kinds:
        origins.setdefault(kind.origin, set()).add(kind.kind)
    rows = [f"| {origin} | {', '.join(sorted(names))} |\n" for origin, names in sorted(origins.items())]
    return README + "".join(rows)


def write(kinds: list[KindFacts], folder: Path) -> None:
    """Replace in `folder` whatever comes from the projects of `kinds`, and write its README."""
    projects = {kind.origin.split()[0] for kind in kinds}
    texts = {folder / kind.group / f"{kind.kind}_{kind.version}.json": render(kind) for kind in kinds}
    kept = []
    for path in folder.glob("*/*.json"):
        old = msgspec.json.decode(path.read_bytes(), type=KindFacts)
        if path not in texts and old.origin.split()[0] in projects:
            path.unlink()
        elif path not in texts:
            kept.append(old)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "README.md").write_text(readme([*kept, *kinds]), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Convert the folders named on the command line."""
    parser = argparse.ArgumentParser(description="Turn CustomResourceDefinitions into dify_gitops/kinds/.")
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE_DIR")
    kinds: list[KindFacts] = []
    try:
        for source in parser.parse_args(arguments).sources:
            found = list(read_folder(source.resolve()))
            if not found:
                raise ConversionError(f"{source}: no CustomResourceDefinition in here")
            kinds += found
    except ConversionError as error:
        print(error, file=sys.stderr)
        return 1
    write(kinds, FOLDER)
    print(f"{len(kinds)} kinds")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
