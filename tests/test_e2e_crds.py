"""Definitions for the proof's API server: what it would refuse of them, without one; what they hold of our facts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from repo import build

from dify_gitops.kinds import all_kinds, facts
from dify_gitops.kinds.constraints import KINDS
from e2e.crds import ARGO_CD, FREE_FORM, crds

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
FOLDERS = [f"{folder}/{env}" for folder in ("argocd", "config-connector", "overlays") for env in ("dev", "prod")]
# Kinds of the API server itself, by group.
BUILT_IN = {"", "apps", "autoscaling", "batch", "networking.k8s.io", "policy"}
BUILT_IN |= {"rbac.authorization.k8s.io", "scheduling.k8s.io", "storage.k8s.io"}
# The API server's own, any resource, and one that nobody may have, so that no facts are needed.
ELSEWHERE = {"services", "pods", "iamserviceaccountkeys", "*"}

Object = dict[str, Any]
POLICIES: list[Object] = [
    one for path in sorted((ROOT / "e2e/admission").glob("*.yaml")) for one in yaml.safe_load_all(path.read_text())
]


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    return [one for folder in FOLDERS for one in build(ROOT, folder)]


@pytest.fixture(scope="module")
def definitions(objects: list[Object]) -> list[Object]:
    return crds(objects)


def all_of(known: list[tuple[str, str]]) -> list[Object]:
    """Definitions of these kinds, Argo CD's excepted."""
    found = crds({"apiVersion": version, "kind": kind} for version, kind in known)
    return [one for one in found if one["spec"]["group"] != ARGO_CD]


def group(one: Object) -> str:
    return str(one["apiVersion"]).rpartition("/")[0]


def nodes(schema: Object, path: str = "") -> Iterator[tuple[str, Object]]:
    """Every node of a structural schema; logical branches are none."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from nodes(schema[keyword], f"{path}[]")


def schemas(definitions: list[Object]) -> dict[str, Object]:
    """``{apiVersion kind: schema}``."""
    return {
        f"{one['spec']['group']}/{version['name']} {one['spec']['names']['kind']}": version["schema"]["openAPIV3Schema"]
        for one in definitions
        for version in one["spec"]["versions"]
    }


def test_every_rendered_kind_is_defined_or_built_in(objects: list[Object], definitions: list[Object]) -> None:
    rendered = {(group(one), one["kind"]) for one in objects if group(one) not in BUILT_IN}
    defined = {(one["spec"]["group"], one["spec"]["names"]["kind"]) for one in definitions}
    assert defined == rendered | {(ARGO_CD, "ApplicationSet")}


def test_definitions_have_one_storage_version_and_the_name_of_their_plural() -> None:
    for one in all_of(list(all_kinds())):
        spec = one["spec"]
        assert one["metadata"]["name"] == f"{spec['names']['plural']}.{spec['group']}"
        assert [version["storage"] for version in spec["versions"]].count(True) == 1, one["metadata"]["name"]


def test_every_schema_is_structural() -> None:
    """What the API server calls NonStructuralSchema: https://kubernetes.io/docs/tasks/extend-kubernetes/."""
    wrong = []
    for name, schema in schemas(all_of(list(all_kinds()))).items():
        assert schema["type"] == "object"
        for path, node in nodes(schema):
            typed = "type" in node
            anything = node.get("x-kubernetes-int-or-string") or node.get("x-kubernetes-preserve-unknown-fields")
            if not typed and not anything:
                wrong.append(f"{name}{path} has no type")
            if typed and node.get("x-kubernetes-int-or-string"):
                wrong.append(f"{name}{path} has a type and is int-or-string")
            if node.get("additionalProperties") is not None and "properties" in node:
                wrong.append(f"{name}{path} has properties and additionalProperties")
            if node.get("type") == "array" and "items" not in node:
                wrong.append(f"{name}{path} has no items")
            if set(node.get("x-kubernetes-list-map-keys", ())) - set(node.get("items", {}).get("properties", {})):
                wrong.append(f"{name}{path} has keys that its items lack")
    assert wrong == []


def unknown(data: Any, schema: Object, path: str) -> Iterator[str]:
    """Fields that a schema does not know and the API server would prune."""
    if isinstance(data, list):
        for item in data:
            yield from unknown(item, schema["items"], f"{path}[]")
    elif isinstance(data, dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        values = schema.get("additionalProperties")
        for key, value in data.items():
            child = values if isinstance(values, dict) else schema.get("properties", {}).get(key)
            if child is None:
                yield f"{path}.{key}"
            else:
                yield from unknown(value, child, f"{path}.{key}")


def test_every_rendered_field_is_known_and_a_misspelt_one_is_not(
    objects: list[Object], definitions: list[Object]
) -> None:
    known = schemas(definitions)
    custom = [one for one in objects if group(one) not in BUILT_IN]
    assert len(custom) > 100
    for one in custom:
        schema = known[f"{one['apiVersion']} {one['kind']}"]
        place = f"{one['kind']} {one['metadata']['name']}"
        own = {key: value for key, value in one.items() if key not in ("apiVersion", "kind", "metadata")}
        assert list(unknown(own, schema, place)) == []
        assert list(unknown({"spec": {"misspelt": 1}}, schema, place)) == [f"{place}.spec.misspelt"]


def test_status_is_free_where_the_definition_has_the_subresource() -> None:
    for one in all_of(list(all_kinds())):
        for version in one["spec"]["versions"]:
            free = version["schema"]["openAPIV3Schema"]["properties"].get("status") == FREE_FORM
            assert free == ("status" in version["subresources"]), one["metadata"]["name"]


def test_argo_cd_keeps_its_own_definitions(definitions: list[Object]) -> None:
    (application,) = [one for one in definitions if one["metadata"]["name"] == "applications.argoproj.io"]
    (version,) = application["spec"]["versions"]
    assert not version.get("subresources")
    assert "operation" in version["schema"]["openAPIV3Schema"]["properties"]
    assert "health" in version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]


def fixed(schema: Object) -> list[str]:
    """Paths of the fields for which a definition says that they cannot change, once for each rule."""
    return [
        path[1:] + rule.get("fieldPath", "")
        for path, node in nodes(schema)
        for rule in node.get("x-kubernetes-validations", ())
        if rule.get("message", "").startswith("cannot change")
    ]


def test_what_facts_call_immutable_has_one_rule(definitions: list[Object]) -> None:
    checked = 0
    for one in definitions:
        name = one["spec"]["group"].removesuffix(".cnrm.cloud.google.com"), one["spec"]["names"]["kind"]
        if name in KINDS:
            for schema in schemas([one]).values():
                found = fixed(schema)
                assert set(KINDS[name].immutable) <= set(found), name
                assert len(found) == len(set(found)), name
                checked += 1
    assert checked >= 25


def test_a_fixed_field_may_be_set_later_but_neither_changed_nor_removed() -> None:
    """The rule itself, as text: the API server compiles it in the proof."""
    (pool,) = all_of([("container.cnrm.cloud.google.com/v1beta1", "ContainerNodePool")])
    spec = pool["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    rules = {rule["fieldPath"]: rule["rule"] for rule in spec["x-kubernetes-validations"]}
    assert rules[".location"] == "!(has(oldSelf.location)) || (has(self.location) && self.location == oldSelf.location)"
    assert rules[".networkConfig.podRange"] == (
        "!(has(oldSelf.networkConfig) && has(oldSelf.networkConfig.podRange)) || "
        "(has(self.networkConfig) && has(self.networkConfig.podRange) && "
        "self.networkConfig.podRange == oldSelf.networkConfig.podRange)"
    )


def test_facts_are_not_changed_by_making_definitions(definitions: list[Object]) -> None:
    known = facts("container.cnrm.cloud.google.com/v1beta1", "ContainerNodePool")
    assert known
    assert definitions
    assert "x-kubernetes-validations" not in known.schema["properties"]["spec"]
    assert known.schema["properties"]["status"] != FREE_FORM


def test_every_policy_is_bound_and_denies() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in POLICIES if one["kind"] == "ValidatingAdmissionPolicy"}
    bindings = [one["spec"] for one in POLICIES if one["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert sorted(one["policyName"] for one in bindings) == sorted(policies)
    assert len(policies) + len(bindings) == len(POLICIES)
    assert all(one["validationActions"] == ["Deny"] and "matchResources" not in one for one in bindings)
    assert all(spec["failurePolicy"] == "Fail" and spec["validations"] for spec in policies.values())


def test_policies_speak_of_resources_that_exist() -> None:
    plurals = {(known.group, known.plural) for identity in all_kinds() if (known := facts(*identity))}
    for one in POLICIES:
        for rule in one["spec"].get("matchConstraints", {}).get("resourceRules", ()):
            for resource in set(rule["resources"]) - ELSEWHERE:
                assert (rule["apiGroups"][0], resource) in plurals, one["metadata"]["name"]


def test_policies_say_which_constraint_they_stand_for() -> None:
    for path in (ROOT / "e2e/admission").glob("*.yaml"):
        comment = "".join(re.findall(r"^#(.*)$", path.read_text(), re.MULTILINE))
        assert "constraints/" in comment or "No organisation policy" in comment, path.name
