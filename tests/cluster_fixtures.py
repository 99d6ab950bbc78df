"""The healthy cluster of tests/rules/good.yaml, and what becomes of it when a fixture breaks it."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "rules"


@functools.cache
def _good() -> str:
    """As JSON: parsing it anew gives objects that share nothing, which YAML's anchors do."""
    text = (FOLDER / "good.yaml").read_text(encoding="utf-8")
    return json.dumps(yaml.load(text, yaml.CSafeLoader)["objects"])


def good_objects() -> list[dict[str, Any]]:
    """The healthy cluster; the caller may change it."""
    objects: list[dict[str, Any]] = json.loads(_good())
    return objects


def identity(item: dict[str, Any]) -> str:
    """`Kind namespace/name`, as findings print it."""
    metadata = item["metadata"]
    namespace = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{item['kind']} {namespace}{metadata['name']}"


def pick(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The object `Kind namespace/name`."""
    (item,) = [item for item in objects if identity(item) == name]
    return item


def first_container(objects: list[dict[str, Any]], workload: str) -> dict[str, Any]:
    """The first container of the workload `Kind namespace/name`."""
    container: dict[str, Any] = pick(objects, workload)["spec"]["template"]["spec"]["containers"][0]
    return container


def broken_objects(fixture: dict[str, Any]) -> list[dict[str, Any]]:
    """The cluster after the fixture's patches (JSON 6902 with `add`, `copy`, `remove`, `replace`) and additions."""
    objects = good_objects()
    for patch in fixture.get("patch", []):
        for operation in patch["ops"]:
            _apply(pick(objects, patch["target"]), operation)
    return [*objects, *fixture.get("add", [])]


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _key(parent: Any, step: str) -> Any:
    return int(step) if isinstance(parent, list) else step


def _walk(target: Any, steps: list[str]) -> Any:
    for step in steps:
        target = target[_key(target, step)]
    return target


def _apply(target: dict[str, Any], operation: dict[str, Any]) -> None:
    *parents, last = _steps(operation["path"])
    parent = _walk(target, parents)
    if operation["op"] == "remove":
        del parent[_key(parent, last)]
        return
    value = operation.get("value")
    if operation["op"] == "copy":
        value = json.loads(json.dumps(_walk(target, _steps(operation["from"]))))
    if isinstance(parent, list) and operation["op"] != "replace":
        parent.insert(len(parent) if last == "-" else int(last), value)
    else:
        if operation["op"] == "replace":
            parent[_key(parent, last)]  # raises where there is nothing to replace
        parent[_key(parent, last)] = value
