"""CustomResourceDefinitions for a control plane without the controllers, made from `dify_gitops/kinds/`.

The schemas are those of the real definitions: types, required fields, allowed values, bounds, list keys, CEL rules.
What Config Connector refuses by a webhook when a fixed field changes is a CEL rule here. Two things are wider or
narrower than reality. `status` is free-form, since who writes it here is no controller. And the rules hold for all
kinds alike: Config Connector itself lets some of these changes pass, and then does nothing (bucket, subnet) or makes a
second resource (SQLInstance).

Argo CD's own definitions come from its module instead: it needs all of its schemas, status included.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any

from dify_gitops.kinds import KindFacts, all_kinds, facts
from dify_gitops.kinds.constraints import KINDS
from dify_gitops.kinds.constraints.model import Kind
from dify_gitops.rendered import read
from e2e.modules import module

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ARGO_CD = "argoproj.io"
CONFIG_CONNECTOR = ".cnrm.cloud.google.com"
FREE_FORM = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

_EVERYWHERE = ("resourceID", "location")  # below spec: immutable in every kind that has them
_SAME = "self == oldSelf"
_FIXED = "cannot change: another value needs a new name, and so a new resource"
# What `rising` fields must do: versions of one product sort as text, a range may only grow around the old one.
_LATER = "self >= oldSelf", "cannot go back to an earlier version"
_WIDER = "cidr(self).containsCIDR(oldSelf)", "must contain the old range"

Schema = dict[str, Any]


def crds(objects: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the definitions of all custom kinds among `objects`, sorted by name, with every version that facts know.

    Argo CD's kinds are always there. Kinds without facts, as all of Kubernetes' own, are left to the API server.
    """
    wanted = {(one["apiVersion"].rpartition("/")[0], one["kind"]) for one in objects}
    versions: dict[tuple[str, str], list[KindFacts]] = {}
    for api_version, kind in all_kinds():
        identity = api_version.rpartition("/")[0], kind
        if identity in wanted and identity[0] != ARGO_CD and (known := facts(api_version, kind)):
            versions.setdefault(identity, []).append(known)
    found = [_definition(every) for every in versions.values()]
    for path in (module("argocd") / "manifests" / "crds").glob("*-crd.yaml"):
        found += read(path.read_text(encoding="utf-8"))
    return sorted(found, key=lambda one: str(one["metadata"]["name"]))


def _definition(versions: list[KindFacts]) -> dict[str, Any]:
    """Return the definition of a kind; list kind and singular are Kubernetes' defaults for all of ours."""
    first = versions[0]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{first.plural}.{first.group}"},
        "spec": {
            "group": first.group,
            "scope": first.scope,
            "names": {"kind": first.kind, "plural": first.plural},
            "versions": [
                {
                    "name": known.version,
                    "served": True,
                    "storage": known.storage,
                    "subresources": known.subresources,
                    "schema": {"openAPIV3Schema": _schema(known)},
                }
                for known in versions
            ],
        },
    }


def _schema(known: KindFacts) -> Schema:
    """Return a copy of the facts' schema with a free status, readable messages and the rules of the webhook."""
    root = _worded(known.schema)
    if "status" in known.subresources:
        root["properties"]["status"] = FREE_FORM
    if known.group.endswith(CONFIG_CONNECTOR):
        for place, rule in _rules(known):
            _at(root, place).setdefault("x-kubernetes-validations", []).append(rule)
    return root


def _worded(schema: Schema) -> Schema:
    """Copy a schema; facts hold rules without messages, and of one kind the rule itself says too little."""
    result = dict(schema)
    if rules := schema.get("x-kubernetes-validations"):
        result["x-kubernetes-validations"] = [
            {**rule, "message": _FIXED} if rule["rule"] == _SAME else rule for rule in rules
        ]
    if "properties" in schema:
        result["properties"] = {name: _worded(child) for name, child in schema["properties"].items()}
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            result[keyword] = _worded(schema[keyword])
    return result


def _rules(known: KindFacts) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield `(path of the node, rule)` for fixed fields whose definition has no rule of its own yet.

    A field may be set later, as Config Connector does with `resourceID`; set once, it neither changes nor goes. The
    rule stands at `spec`, because a rule at the field is not asked when the field goes.
    """
    kind = KINDS.get((known.group.removesuffix(CONFIG_CONNECTOR), known.kind), Kind("", ""))
    fields = _at(known.schema, "spec").get("properties", {})
    for path in dict.fromkeys([*(f"spec.{key}" for key in _EVERYWHERE if key in fields), *kind.immutable]):
        own = _at(known.schema, path).get("x-kubernetes-validations", ())
        if not any(rule["rule"] == _SAME for rule in own):
            key = path.removeprefix("spec")
            had, has = _has("oldSelf", key), _has("self", key)
            rule = f"!({had}) || ({has} && self{key} == oldSelf{key})"
            yield "spec", {"rule": rule, "message": _FIXED, "fieldPath": key}
    for path in kind.rising:
        rule, message = _WIDER if path.endswith("CidrRange") else _LATER
        yield path, {"rule": rule, "message": message}


def _has(owner: str, key: str) -> str:
    """Return the expression for «all of this path is there»; the API server cannot tell the cost of `owner.?key`."""
    parts = accumulate(key.removeprefix(".").split("."), "{}.{}".format, initial=owner)
    return " && ".join(f"has({part})" for part in parts if part != owner)


def _at(schema: Schema, path: str) -> Schema:
    """Return the node of a field. Raises KeyError where the kind has no such field."""
    for key in path.split("."):
        schema = schema["properties"][key]
    return schema
