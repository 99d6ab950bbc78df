"""Schemas made of facts: kubeconform judges a treacherous kind as the API server would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from judge import INVALID, VALID, judge

from dify_gitops.schemas import LOCATION, custom_schema, object_meta
from tools.crd_to_kinds import from_crd

CRD = Path(__file__).with_name("kinds") / "trap-crd.yaml"


@pytest.fixture(scope="module")
def trap_locations(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("trap")
    (trap,) = from_crd(yaml.safe_load(CRD.read_text()), "traps v1.2.3")
    (folder / "example.com").mkdir()
    (folder / "example.com/trap_v1.json").write_text(json.dumps(custom_schema(trap, object_meta("1.35"))))
    return [f"{folder}/{LOCATION}"]


def trap_with(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Trap", "metadata": {"name": "trap"}, "spec": spec}


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"properties": {"description": "text", "default": 1}},
        {"maybe": None},
        {"maybe": "a"},
        {"port": 80},
        {"port": "http"},
        {"maybePort": None},
        {"maybePort": 80},
        {"free": {"size": 1, "more": [1]}},
        {"any": 1},
        {"any": {"deep": [None]}},
        {"empty": {}},
        {"labels": {"any": "one"}},
        {"object": {**POD, "spec": {"size": 1}}},
        {"either": {"a": "x"}},
        {"either": {"b": "x", "c": {"d": "x"}}},
        {"above": 4},
        {"small": 2147483647},
        {"small": -5},
        {"defaulted": {"size": 1}},
        {"items": [{"name": "a"}, {"name": "b"}]},
    ],
    ids=str,
)
def test_what_the_api_server_accepts_is_valid(spec: dict[str, Any], trap_locations: list[str]) -> None:
    assert judge(trap_with(**spec), trap_locations)[2:] == (VALID, "")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"unknown": 1}, "at '/spec': additional properties 'unknown' not allowed"),
        ({"properties": {"typo": 1}}, "at '/spec/properties': additional properties 'typo' not allowed"),
        ({"properties": {"default": "1"}}, "at '/spec/properties/default': got string, want integer"),
        ({"maybe": "c"}, "at '/spec/maybe': value must be one of 'a', 'b', <nil>"),
        ({"above": None}, "at '/spec/above': got null, want integer"),
        ({"port": None}, "at '/spec/port'"),
        ({"port": 1.5}, "at '/spec/port'"),
        ({"port": "80/tcp"}, "at '/spec/port': '80/tcp' does not match pattern"),
        ({"maybePort": [1]}, "at '/spec/maybePort': got array, want"),
        ({"free": {"size": "1"}}, "at '/spec/free/size': got string, want integer"),
        ({"empty": {"a": 1}}, "at '/spec/empty': additional properties 'a' not allowed"),
        ({"labels": {"any": "four"}}, "at '/spec/labels/any': maxLength: got 4, want 3"),
        ({"labels": {"any": 1}}, "at '/spec/labels/any': got number, want string"),
        ({"object": {**POD, "data": {}}}, "at '/spec/object': additional properties 'data' not allowed"),
        ({"object": {**POD, "metadata": {"nam": "p"}}}, "at '/spec/object/metadata': additional prop"),
        ({"either": {}}, "at '/spec/either': oneOf failed, none matched"),
        ({"either": {"a": "x", "b": "x"}}, "at '/spec/either': oneOf failed"),
        ({"either": {"b": "x", "c": {}}}, "at '/spec/either'"),
        ({"either": {"a": "bad", "c": {"d": "x"}}}, "at '/spec/either': not failed"),
        ({"small": 2147483648}, "at '/spec/small': maximum: got 2.147483648"),
        ({"small": -6}, "at '/spec/small': minimum: got -6, want -5"),
        ({"defaulted": {}}, "at '/spec/defaulted': missing property 'size'"),
        ({"above": 3}, "at '/spec/above': exclusiveMinimum"),
        ({"items": [{}]}, "at '/spec/items/0': missing property 'name'"),
        ({"items": [{"name": "a"}] * 3}, "at '/spec/items': maxItems: got 3, want 2"),
    ],
    ids=str,
)
def test_what_the_api_server_refuses_is_invalid(spec: dict[str, Any], message: str, trap_locations: list[str]) -> None:
    verdict = judge(trap_with(**spec), trap_locations)
    assert verdict.status == INVALID
    assert message in verdict.message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metadata": None}, "at '/metadata': got null, want object"),
        (
            {"metadata": {"name": "x", "lables": {}}},
            "at '/metadata': additional properties 'lables' not allowed",
        ),
        (
            {"metadata": {"name": "x", "annotations": {"a": 1}}},
            "at '/metadata/annotations/a': got number, want",
        ),
        ({"specs": {}}, "at '': additional properties 'specs' not allowed"),
        ({"spec": "text"}, "at '/spec': got string, want object"),
    ],
    ids=str,
)
def test_root_is_closed_and_metadata_is_known(change: dict[str, Any], message: str, trap_locations: list[str]) -> None:
    verdict = judge(trap_with() | change, trap_locations)
    assert verdict.status == INVALID
    assert message in verdict.message


@pytest.mark.parametrize("missing", ["metadata", "spec"])
def test_required_root_fields_are_required(missing: str, trap_locations: list[str]) -> None:
    document = trap_with()
    del document[missing]
    verdict = judge(document, trap_locations)
    assert verdict.status == INVALID
    assert f"missing property '{missing}'" in verdict.message


def test_schema_says_which_kind_it_judges(trap_locations: list[str], tmp_path: Path) -> None:
    schema = Path(trap_locations[0].replace(LOCATION, "example.com/trap_v1.json"))
    (tmp_path / "schema.json").write_bytes(schema.read_bytes())
    verdict = judge(trap_with() | {"kind": "Other"}, [str(tmp_path / "schema.json")])
    assert (verdict.status, "at '/kind': value must be 'Trap'" in verdict.message) == (INVALID, True)
