"""Builds the schema folder for kubeconform, one self-contained file per kind.

Kubernetes' own kinds come from PyPI's `kubernetes-validate`, custom kinds from our facts. All is JSON Schema
Draft 4, which kubeconform reads where a schema names no dialect: there boolean exclusive bounds are valid,
formats are asserted, and `true` or `false` is no schema.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from dify_gitops.errors import UserError
from dify_gitops.kinds import FOLDER, KindFacts, all_kinds, facts

PACKAGE = "kubernetes-validate"
OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# kubeconform fills this in; it gives the core group's version in place of the missing group name.
LOCATION = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
CONSTRAINTS = frozenset(
    "required enum pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf "
    "minLength maxLength minItems maxItems uniqueItems minProperties maxProperties type".split()
)
INTEGER_BITS = {"int32": 31, "int64": 63}  # kubeconform passes over these formats, the API server does not
INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]

Schema = dict[str, Any]


def build_schemas(cache: Path, kubernetes: str) -> list[str]:
    """Return the values for kubeconform's `-schema-location`, after building the folder where it is missing.

    `kubernetes` is a minor version such as `1.35`. The folder's name carries a hash of all it is made of, and
    it appears in one step, so that two processes may build at once. Raises UserError when the package is not
    installed or does not know the version.
    """
    source = _builtin_folder(kubernetes)
    target = cache / f"{kubernetes}-{_digest()[:16]}"
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=cache, prefix="building-"))
        try:
            fresh.chmod(0o755)
            _write_all(fresh, source)
            fresh.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster
                raise
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return [f"{target}/{LOCATION}"]


def _builtin_folder(kubernetes: str) -> Path:
    """Return the package's folder of closed («strict») schemas, without importing the package."""
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or spec.origin is None:
        raise UserError(f"the Python package {PACKAGE} is not installed", "run: make check")
    schemas = Path(spec.origin).parent / "kubernetes-json-schema"
    folder = schemas / f"v{kubernetes}.0-local-strict"
    if not folder.is_dir():
        minors = {match[1] for path in schemas.iterdir() if (match := re.match(r"v(\d+\.\d+)\.", path.name))}
        known = sorted(minors, key=lambda minor: [int(part) for part in minor.split(".")])
        raise UserError(f"no schemas for Kubernetes {kubernetes} in {PACKAGE}", f"it knows {known[0]} to {known[-1]}")
    return folder


def _digest() -> str:
    """Hash everything that the schemas depend on besides the Kubernetes version."""
    digest = hashlib.sha256(importlib.metadata.version(PACKAGE).encode())
    for path in [Path(__file__), *sorted(FOLDER.glob("*/*.json"))]:
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _write_all(folder: Path, source: Path) -> None:
    definitions = _json(source / "_definitions.json")["$defs"]
    for path in sorted(source.glob("*.json")):
        document = _json(path)
        # The package has a file for every type; only the kinds of manifests say their own name.
        if "enum" in document.get("properties", {}).get("kind", ()):
            for identity in document["x-kubernetes-group-version-kind"]:
                place = identity["group"] or identity["version"], identity["kind"], identity["version"]
                _write(folder, place, builtin_schema(document, definitions))
    meta = _object_meta(definitions)
    for api_version, kind in all_kinds():
        if known := facts(api_version, kind):
            _write(folder, (known.group, kind, known.version), custom_schema(known, meta))


def object_meta(kubernetes: str) -> dict[str, Schema]:
    """Return the definitions that ObjectMeta consists of, for `custom_schema`. Raises UserError."""
    return _object_meta(_json(_builtin_folder(kubernetes) / "_definitions.json")["$defs"])


def _object_meta(definitions: dict[str, Schema]) -> dict[str, Schema]:
    found: dict[str, Schema] = builtin_schema({"$ref": f"#/$defs/{OBJECT_META}"}, definitions)["definitions"]
    found[OBJECT_META]["type"] = "object"  # no optional field of some other object: every manifest has it
    return found


def _write(folder: Path, place: tuple[str, str, str], schema: Schema) -> None:
    group, kind, version = place
    path = folder / group / f"{kind.lower()}_{version}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(schema, separators=(",", ":")), encoding="utf-8")


def _json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def builtin_schema(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    """Return `schema` with the definitions it needs inside, since its references point to a web page.

    They are bundled, not inlined: JSONSchemaProps refers to itself.
    """
    needed: dict[str, Schema] = {}

    def rewrite(node: Any, *, names: bool = False) -> Any:
        """Return a copy; with `names`, the keys are names of properties, never keywords."""
        if isinstance(node, list):
            return [rewrite(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node and not names:
            name = node["$ref"].rpartition("/")[2]
            if name not in needed:
                needed[name] = {}  # a place holder ends the recursion
                needed[name] = rewrite(definitions[name])
            return {"$ref": f"#/definitions/{name}"}
        return {
            key: rewrite(value, names=key == "properties" and not names)
            for key, value in node.items()
            if names or not (key in ("description", "default", "$id", "$schema") or key.startswith("x-"))
        }

    result: Schema = rewrite(schema)
    return {**result, "definitions": needed} if needed else result


def custom_schema(known: KindFacts, meta: dict[str, Schema]) -> Schema:
    """Return the schema that judges a manifest as the API server would, CEL rules excepted.

    `meta` holds the definitions that ObjectMeta needs. The root is closed and knows its own apiVersion and
    kind, which in a CRD only the address says.
    """
    root = _structural(known.schema)
    root["properties"] = {
        **root.get("properties", {}),
        "apiVersion": {"type": "string", "enum": [known.api_version]},
        "kind": {"type": "string", "enum": [known.kind]},
        "metadata": {"$ref": f"#/definitions/{OBJECT_META}"},
    }
    root["required"] = sorted({"apiVersion", "kind", "metadata", *root.get("required", ())})
    return {**root, "additionalProperties": False, "definitions": meta}


def _structural(schema: Schema) -> Schema:
    """Translate a schema whose fields the API server knows: what it does not list, it prunes or refuses.

    Defaults count as given where fields are required, but not inside logical branches.
    """
    result = _values(schema)
    if "properties" in schema:
        result["properties"] = {name: _structural(child) for name, child in schema["properties"].items()}
    if "items" in schema:
        result["items"] = _structural(schema["items"])
    values = schema.get("additionalProperties")
    if values is not None:
        result["additionalProperties"] = values if isinstance(values, bool) else _structural(values)
    elif schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    if schema.get("x-kubernetes-embedded-resource"):
        embedded = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}}
        embedded["metadata"] = {"$ref": f"#/definitions/{OBJECT_META}"}
        result["properties"] = {**result.get("properties", {}), **embedded}
    result |= _branches(schema)
    if schema.get("x-kubernetes-int-or-string"):
        result["type"] = ["integer", "string"]
        if result.get("anyOf") == INT_OR_STRING:  # says the same, and would refuse null
            del result["anyOf"]
    if schema.get("nullable"):
        _allow_null(result)
    return result


def _values(schema: Schema) -> Schema:
    """Return the constraints on the value itself, as the API server means them."""
    result = {key: value for key, value in schema.items() if key in CONSTRAINTS}
    if schema.get("format") in INTEGER_BITS:
        bound = 2 ** INTEGER_BITS[schema["format"]]
        result["minimum"] = max(-bound, result.get("minimum", -bound))
        result["maximum"] = min(bound - 1, result.get("maximum", bound - 1))
    defaulted = {name for name, child in schema.get("properties", {}).items() if "default" in child}
    required = [name for name in result.pop("required", ()) if name not in defaulted]
    return {**result, "required": required} if required else result  # Draft 4 has no empty `required`


def _branches(schema: Schema) -> Schema:
    result: Schema = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema:
            result[keyword] = [_constraint(branch) for branch in schema[keyword]]
    if "not" in schema:
        result["not"] = _constraint(schema["not"])
    return result


def _constraint(schema: Schema) -> Schema:
    """Translate a logical branch: it narrows values and says nothing about which fields exist."""
    result = {key: value for key, value in schema.items() if key in CONSTRAINTS} | _branches(schema)
    if "properties" in schema:
        result["properties"] = {name: _constraint(child) for name, child in schema["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            result[keyword] = _constraint(schema[keyword])
    return result


def _allow_null(schema: Schema) -> None:
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        schema["type"] = [*types, "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
