"""Rules that know Dify: public routes, budgets, queues, and the api's image under any name."""

from __future__ import annotations

from typing import Any

import pytest
from cluster_fixtures import first_container, good_objects, pick

from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.rules import examine
from dify_gitops.rules.dify import image_parts
from dify_gitops.rules.ingress import Route


@pytest.mark.parametrize(
    ("path", "path_type", "url", "fits"),
    [
        ("/", "Prefix", "/threads", True),
        ("/api", "Prefix", "/api", True),
        ("/api", "Prefix", "/api/x", True),
        ("/api/", "Prefix", "/api", True),
        ("/api", "Prefix", "/apix", False),
        ("/*", "ImplementationSpecific", "/threads", True),
        ("/threads", "ImplementationSpecific", "/threads", True),
        ("/thread", "ImplementationSpecific", "/threads", False),
        ("/threads", "ImplementationSpecific", "/threads/1", False),
        ("/inner/*", "ImplementationSpecific", "/inner/api", True),
        ("/threads", "Exact", "/threads", True),
        ("/threads", "Exact", "/threads/1", False),
        ("", "", "/anything", True),
    ],
)
def test_routes(path: str, path_type: str, url: str, fits: bool) -> None:  # noqa: FBT001 - a column of the table
    assert (Route("", path, path_type, "api", 5001, "").rank(url) >= 0) is fits


def routed(*paths: tuple[str, str, str]) -> list[str]:
    """Internal paths that reach the api when the Ingress has these routes (path, type, Service)."""
    objects = good_objects()
    (rule,) = pick(objects, "Ingress dify/dify")["spec"]["rules"]
    rule["http"]["paths"] = [
        {"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": {"name": "http"}}}}
        for path, kind, service in paths
    ]
    findings = examine(objects, "good.yaml", "1.35", "1.11.4")
    return [finding.message.split()[0] for finding in findings if finding.rule == "internal-paths"]


def test_the_default_backend_takes_what_no_route_takes() -> None:
    objects = good_objects()
    ingress = pick(objects, "Ingress dify/dify")
    ingress["spec"]["defaultBackend"] = {"service": {"name": "weaviate", "port": {"number": 8080}}}
    before = [finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")]
    assert set(before) == {"ingress-reachable", "neg-set", "security-policy"}, "weaviate is no public service"
    ingress["spec"]["defaultBackend"]["service"] = {"name": "api", "port": {"name": "http"}}
    assert {finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")} == {"internal-paths"}


def test_an_unreadable_backend_config_is_none() -> None:
    objects = good_objects()
    pick(objects, "Service dify/api")["metadata"]["annotations"]["cloud.google.com/backend-config"] = "{default: api}"
    assert [finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")] == ["security-policy"]


def test_the_longest_route_decides_whether_an_internal_path_is_public() -> None:
    assert routed(("/inner", "Prefix", "api"), ("/inner/api", "Prefix", "weaviate")) == []
    assert routed(("/", "Prefix", "api"), ("/inner/api", "Prefix", "weaviate")) == [
        "/db-pool-stat",
        "/health",
        "/threads",
    ]
    assert routed(("/*", "ImplementationSpecific", "weaviate"), ("/threads", "Exact", "api")) == ["/threads"]
    assert routed(("/", "Prefix", "weaviate"), ("/console/api", "Prefix", "api")) == []


@pytest.mark.parametrize(
    ("spec", "fine"),
    [
        ({"maxUnavailable": 1}, True),
        ({"maxUnavailable": "1%"}, True),
        ({"maxUnavailable": 0}, False),
        ({"maxUnavailable": "0%"}, False),
        ({"minAvailable": 1}, True),
        ({"minAvailable": 2}, False),
        ({"minAvailable": "50%"}, True),
        ({"minAvailable": "51%"}, False),
        ({}, False),
    ],
)
def test_a_budget_lets_one_of_two_replicas_go(spec: dict[str, Any], fine: bool) -> None:  # noqa: FBT001
    objects = good_objects()
    budget = pick(objects, "PodDisruptionBudget dify/api")
    budget["spec"] = {**spec, "selector": budget["spec"]["selector"]}
    rules = [finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")]
    assert rules == ([] if fine else ["disruption-allowed"])


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize("tag", ["1.11.4", "1.11.4-acme", "7"])
def test_every_queue_of_the_environments_release_needs_a_consumer(version: str, tag: str) -> None:
    """Whatever the tag says: an image of one's own, or a digest, has the queues of the release all the same."""
    objects = good_objects()
    for workload in (
        "Deployment dify/api",
        "Deployment dify/worker-batch",
        "Deployment dify/beat",
        "Job dify/migration",
    ):
        container = first_container(objects, workload)
        container["image"] = f"mirror.example/langgenius/dify-api:{tag}"
    pick(objects, "ConfigMap dify/queues")["data"]["CELERY_QUEUES"] = "dataset,schedule_poller"
    findings = [
        finding for finding in examine(objects, "good.yaml", "1.35", version) if finding.rule.startswith("queue")
    ]
    messages = {finding.message for finding in findings if finding.rule == "queue-consumed-once"}
    missing = set(RELEASES[version].queues) - {"dataset", "schedule_poller"}
    assert messages == {f"queue {queue} of Dify {version} has no consumer" for queue in missing}
    unused = [finding for finding in findings if finding.rule == "queue-scaled"]
    assert len(unused) == len(missing), "and the scaler watches what the pool does not consume"


def test_a_pool_without_queues_or_without_scaler_is_found() -> None:
    objects = [item for item in good_objects() if item["kind"] != "ScaledObject"]
    worker = first_container(objects, "Deployment dify/worker-batch")
    worker["envFrom"] = worker["envFrom"][:2]
    findings = {(finding.rule, finding.message) for finding in examine(objects, "good.yaml", "1.35", "1.11.4")}
    assert ("queue-scaled", "consumes queues, but no ScaledObject scales it") in findings
    assert ("queue-consumed-once", "is not set: the image's own list lacks queues") in findings


def test_without_migration_nothing_of_the_api_may_run() -> None:
    objects = [item for item in good_objects() if item["kind"] != "Job"]
    (finding,) = examine(objects, "good.yaml", "1.35", "1.11.4")
    assert (finding.rule, finding.object) == ("migration-once", "Deployment dify/api")


def test_the_api_is_recognized_under_another_name() -> None:
    objects = good_objects()
    for workload in (
        "Deployment dify/api",
        "Deployment dify/worker-batch",
        "Deployment dify/beat",
        "Job dify/migration",
    ):
        first_container(objects, workload)["image"] = "mirror.example/acme/backend:7.1"
    assert examine(objects, "good.yaml", "1.35", "1.11.4") == []
    pick(objects, "ConfigMap dify/dify")["data"]["MIGRATION_ENABLED"] = "true"
    assert {finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")} == {"migration-elsewhere"}


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("nginx", ("nginx", "", "")),
        ("ubuntu/squid:6.6-24.04_beta", ("ubuntu/squid", "6.6-24.04_beta", "")),
        ("registry.example:5000/a/b", ("registry.example:5000/a/b", "", "")),
        ("registry.example:5000/a/b:1@sha256:ab", ("registry.example:5000/a/b", "1", "sha256:ab")),
        ("a@sha256:ab", ("a", "", "sha256:ab")),
        ("", ("", "", "")),
    ],
)
def test_images_are_taken_apart(reference: str, parts: tuple[str, str, str]) -> None:
    assert image_parts(reference) == parts


def test_another_image_with_the_same_variable_is_not_the_apis() -> None:
    objects = good_objects()
    first_container(objects, "Deployment dify-sandbox/sandbox")["env"].append({"name": "MODE", "value": "api"})
    assert examine(objects, "good.yaml", "1.35", "1.11.4") == []


def test_a_worker_may_be_started_by_its_command() -> None:
    objects = good_objects()
    worker = first_container(objects, "Deployment dify/worker-batch")
    worker["command"] = ["sh", "-c", "exec celery -A celery_entrypoint.celery worker -P gevent"]
    worker["env"] = [entry for entry in worker["env"] if entry["name"] != "MODE"]
    assert examine(objects, "good.yaml", "1.35", "1.11.4") == []
    worker["envFrom"].pop()
    assert {finding.rule for finding in examine(objects, "good.yaml", "1.35", "1.11.4")} == {
        "queue-consumed-once",
        "queue-scaled",
    }
