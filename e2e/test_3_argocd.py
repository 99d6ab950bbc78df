"""Level 3: a real Argo CD brings the published repository to Synced and Healthy, in the order of the waves."""

from __future__ import annotations

import collections
import itertools
import json
from typing import TYPE_CHECKING

import pytest

from dify_gitops.names import HOOK
from e2e.argocd import CONTROLLER
from e2e.cluster import APPLICATIONS, Cluster
from e2e.kubectl import essence, identity
from e2e.rendering import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.kubectl import Object
    from e2e.repository import Repository

FOLDERS = {"root": "argocd", "infra": "config-connector", "dify": "overlays"}
# Some of the kinds whose health must have been looked at.
JUDGED = {
    "root": {"Application"},
    "infra": {"SQLInstance", "IAMServiceAccount", "ExternalSecret", "PushSecret"},
    "dify": {"Deployment", "StatefulSet", "PersistentVolumeClaim", "Ingress", "ExternalSecret", "ScaledObject"},
}
WAVE = "argocd.argoproj.io/sync-wave"
CREATED = 201
# Where pods name objects, with the kind of each.
REFERENCES = {
    "secretRef": "Secret",
    "secretKeyRef": "Secret",
    "secret": "Secret",
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "configMap": "ConfigMap",
}
Place = tuple[str, str, str]
"""Kind, namespace and name."""


@pytest.fixture
def cluster(clusters: dict[str, Cluster], environment: str) -> Cluster:
    """Return the cluster of an environment: all Applications are Synced and Healthy at the first commit."""
    return clusters[environment]


def synced(repository: Repository, environment: str) -> Iterator[tuple[str, list[Object]]]:
    """Give each Application with what its folder renders."""
    for name, folder in FOLDERS.items():
        yield name, build(repository.published / folder / environment)


def test_every_object_is_synced_and_healthy(cluster: Cluster, repository: Repository) -> None:
    for name, objects in synced(repository, cluster.environment):
        application = cluster.argocd.application(name)
        resources = [one for one in application["status"]["resources"] if not one.get("hook")]
        assert {one["status"] for one in resources} == {"Synced"}
        health = {f"{one['kind']}/{one['name']}": one["health"]["status"] for one in resources if "health" in one}
        assert {key: said for key, said in health.items() if said != "Healthy"} == {}
        assert JUDGED[name] <= {key.partition("/")[0] for key in health}
        there = sorted((one["kind"], one.get("namespace", ""), one["name"]) for one in resources)
        assert there == sorted(_place(one) for one in objects if HOOK not in one["metadata"].get("annotations", {}))


def test_no_project_refused_anything(cluster: Cluster) -> None:
    for name in APPLICATIONS:
        assert cluster.argocd.application(name)["status"].get("conditions", []) == []
    log = cluster.argocd.log()
    assert "application-controller" in log
    assert [line for line in log.splitlines() if "not permitted in project" in line] == []


def test_one_commit_is_synced_once(cluster: Cluster) -> None:
    """Whatever is synced again without a new commit differs for no reason that a person could see."""
    begun = [json.loads(line) for line in cluster.argocd.log().splitlines() if "Initiated automated sync" in line]
    counts = collections.Counter(line["application"] for line in begun if line.get("reason") == "OperationStarted")
    assert counts == dict.fromkeys(APPLICATIONS, 1)


def test_objects_are_made_in_the_order_of_the_waves(cluster: Cluster, repository: Repository) -> None:
    """Every wave's last object was there before the first one of the next wave was made; bootstrap's do not count."""
    made = creations(cluster, CONTROLLER)
    for name, objects in synced(repository, cluster.environment):
        waves: dict[int, list[str]] = {}
        for one in objects:
            if _place(one) in made:
                wave = int(one["metadata"].get("annotations", {}).get(WAVE, 0))
                waves.setdefault(wave, []).append(made[_place(one)])
        assert sum(map(len, waves.values())) > len(objects) // 2
        order = sorted(waves)
        for before, after in itertools.pairwise(order):
            assert max(waves[before]) < min(waves[after]), f"{name}: wave {after} began before {before} was there"


def test_the_migration_ended_before_the_new_pods_began(cluster: Cluster) -> None:
    """All that runs the migration's image uses the database: api, beat, every pool of workers."""
    job = cluster.kubectl.get("job", "migration", "dify")
    image = job["spec"]["template"]["spec"]["containers"][0]["image"]
    pods = [
        one["metadata"]
        for one in cluster.kubectl.list("pods", "dify")
        if one["metadata"]["ownerReferences"][0]["kind"] != "Job"
        and image in [container["image"] for container in one["spec"]["containers"]]
    ]
    names = [meta["labels"]["app.kubernetes.io/name"] for meta in pods]
    assert set(names) == {"api", "beat", "worker"}
    assert job["status"]["completionTime"] <= min(meta["creationTimestamp"] for meta in pods)


def test_what_workloads_refer_to_was_there_before_them(cluster: Cluster, repository: Repository) -> None:
    """Pods without their Secrets would not start on real nodes; these here ask for none."""
    made, there = creations(cluster, CONTROLLER), creations(cluster)
    (objects,) = (objects for name, objects in synced(repository, cluster.environment) if name == "dify")
    workloads = [one for one in objects if one["kind"] in {"Deployment", "StatefulSet", "Job"}]
    pairs = [(_place(one), reference) for one in workloads for reference in references(one)]
    assert {kind for _, (kind, _, _) in pairs} == {"Secret", "ConfigMap", "ServiceAccount"}
    assert [pair for pair in pairs if pair[1] not in there or there[pair[1]] > made[pair[0]]] == []


def test_a_second_sync_changes_nothing_but_the_hook(cluster: Cluster, repository: Repository) -> None:
    objects = [one for _, folder in synced(repository, cluster.environment) for one in folder]
    plain = [one for one in objects if HOOK not in one["metadata"].get("annotations", {})]
    before = {identity(one): essence(one) for one in cluster.kubectl.stored(plain)}
    job = cluster.kubectl.get("job", "migration", "dify")["metadata"]["uid"]
    cluster.argocd.sync(*APPLICATIONS)
    after = {identity(one): essence(one) for one in cluster.kubectl.stored(plain)}
    assert {key for key in before if before[key] != after[key]} == set()
    assert cluster.kubectl.get("job", "migration", "dify")["metadata"]["uid"] != job


def references(workload: Object) -> Iterator[Place]:
    """Yield the objects that the kubelet wants before it starts a workload's pods."""
    spec, namespace = workload["spec"]["template"]["spec"], workload["metadata"]["namespace"]
    yield "ServiceAccount", namespace, spec["serviceAccountName"]
    yield from (("Secret", namespace, one["name"]) for one in spec.get("imagePullSecrets", ()))
    volumes = [source for one in spec.get("volumes", ()) for source in one.get("projected", {}).get("sources", [one])]
    containers = [*spec.get("initContainers", ()), *spec["containers"]]
    variables = [one.get("valueFrom", {}) for container in containers for one in container.get("env", ())]
    wanted = [*volumes, *variables, *(one for container in containers for one in container.get("envFrom", ()))]
    for source in wanted:
        for key, kind in REFERENCES.items():
            named = source.get(key, {})
            if named and not named.get("optional"):
                yield kind, namespace, named.get("name") or named["secretName"]


def creations(cluster: Cluster, user: str = "") -> dict[Place, str]:
    """Return when each object was first made, by kind, namespace and name: by anybody, or by one user."""
    kinds = cluster.kubectl.resources()
    found: dict[Place, str] = {}
    for write in cluster.plane.writes():
        if write.code == CREATED and write.user.startswith(user) and write.resource in kinds and not write.dry_run:
            namespace = "" if write.resource == "namespaces" else write.namespace  # the log has its name there
            found.setdefault((kinds[write.resource], namespace, write.name), write.time)
    return found


def _place(one: Object) -> Place:
    return one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]
