"""Every committed kind under real kubeconform: it compiles, takes what is right and refuses typos."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from judge import ERROR, INVALID, VALID, judge, judge_all

from dify_gitops.kinds import KindFacts, all_kinds, facts
from dify_gitops.schemas import build_schemas

ALL_FACTS = [known for kind in all_kinds() if (known := facts(*kind))]


@pytest.fixture(scope="module")
def locations(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return build_schemas(tmp_path_factory.mktemp("schemas"), "1.35")


def manifest(known: KindFacts, case: str) -> dict[str, Any]:
    return {"apiVersion": known.api_version, "kind": known.kind, "metadata": {"name": case}}


def has_closed_spec(known: KindFacts) -> bool:
    spec = known.schema["properties"].get("spec", {})
    return spec.get("type") == "object" and not spec.get("x-kubernetes-preserve-unknown-fields")


def test_every_kind_compiles(locations: list[str]) -> None:
    verdicts = judge_all([manifest(known, "probe") for known in ALL_FACTS], locations)
    assert len(verdicts) == len(ALL_FACTS)
    assert [verdict for verdict in verdicts if verdict.status not in (VALID, INVALID)] == []


def test_every_kind_refuses_typos_at_root_in_metadata_and_in_spec(locations: list[str]) -> None:
    changes: dict[str, dict[str, Any]] = {
        "root": {"typo-at-root": {}},
        "metadata": {"metadata": {"name": "metadata", "typo-in-metadata": {}}},
        "annotation": {"metadata": {"name": "annotation", "annotations": {"a": 1}}},
        "spec": {"spec": {"typo-in-spec": {}}},
    }
    refusals = {
        "root": "additional properties 'typo-at-root' not allowed",
        "metadata": "additional properties 'typo-in-metadata' not allowed",
        "annotation": "at '/metadata/annotations/a': got number",
        "spec": "additional properties 'typo-in-spec' not allowed",
    }
    documents = [
        manifest(known, case) | copy.deepcopy(change)
        for known in ALL_FACTS
        for case, change in changes.items()
        if case != "spec" or has_closed_spec(known)
    ]
    assert len(documents) >= 4 * len(ALL_FACTS) - 3  # nearly every kind has a closed spec
    verdicts = judge_all(documents, locations)
    assert len(verdicts) == len(documents)
    assert [v for v in verdicts if v.status != INVALID or refusals[v.name] not in v.message] == []


REAL = list(yaml.safe_load_all((Path(__file__).with_name("kinds") / "custom.yaml").read_text()))
BROKEN = [
    ("BackendConfig", ["spec", "timeoutSec"], "3600", "at '/spec/timeoutSec': got string, want integer"),
    (
        "BackendConfig",
        ["spec", "healthCheck", "path"],
        "/",
        "at '/spec/healthCheck': additional properties 'path'",
    ),
    ("FrontendConfig", ["spec", "redirectToHttps", "enabled"], "yes", "got string, want boolean"),
    (
        "ManagedCertificate",
        ["spec", "domains"],
        "a.example.com",
        "at '/spec/domains': got string, want array",
    ),
    ("ScaledObject", ["spec", "triggers"], [{"type": "redis"}], "missing property 'metadata'"),
    (
        "SecretStore",
        ["spec", "provider", "gcpsm", "projectId"],
        "x",
        "additional properties 'projectId' not allowed",
    ),
    ("SecretStore", ["spec", "provider"], {"gcpsm": {}, "fake": {}}, "at '/spec/provider'"),
    (
        "ExternalSecret",
        ["spec", "refreshPolicy"],
        "Sometimes",
        "at '/spec/refreshPolicy': value must be one of",
    ),
    ("SQLDatabase", ["spec", "instanceRef"], {}, "at '/spec/instanceRef': oneOf failed"),
    (
        "PodMonitoring",
        ["spec", "endpoints"],
        [{"port": 1.5, "interval": "1s"}],
        "at '/spec/endpoints/0/port'",
    ),
]


def test_real_manifests_are_valid(locations: list[str]) -> None:
    verdicts = judge_all(REAL, locations)
    assert {verdict.kind: verdict[2:] for verdict in verdicts} == dict.fromkeys(
        {document["kind"] for document in REAL}, (VALID, "")
    )


@pytest.mark.parametrize(("kind", "path", "value", "message"), BROKEN, ids=str)
def test_broken_manifests_are_not(kind: str, path: list[str], value: Any, message: str, locations: list[str]) -> None:
    (document,) = copy.deepcopy([document for document in REAL if document["kind"] == kind])
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    verdict = judge(document, locations)
    assert verdict.status == INVALID
    assert message in verdict.message


def test_kind_without_facts_is_an_error_not_a_pass(locations: list[str]) -> None:
    verdict = judge({"apiVersion": "keda.sh/v1", "kind": "ScaledObject", "metadata": {"name": "x"}}, locations)
    assert verdict.status == ERROR
    assert "could not find schema for ScaledObject" in verdict.message
