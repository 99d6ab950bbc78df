"""The order inside each Application, as a graph of what objects name: made of what is rendered, without our rules."""

from __future__ import annotations

import json
import re
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from repo import build, environment, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from repo import Object

CNRM = ".cnrm.cloud.google.com"
OPTIONS = {
    "redis": "{endpoint: job}",
    "argocd": "{repositoryToken: git-token, slack: {channel: alerts, token: slack-bot}}",
    "variables": "{secrets: {OTLP_API_KEY: acme-otlp}}",
}
# Keys whose text is the name of an object, and keys whose mapping or list of mappings holds it under `name`.
NAMES = {
    "serviceAccountName": "ServiceAccount",
    "priorityClassName": "PriorityClass",
    "storageClassName": "StorageClass",
    "claimName": "PersistentVolumeClaim",
    "secretName": "Secret",
    "serviceName": "Service",
    "project": "AppProject",
    "networking.gke.io/managed-certificates": "ManagedCertificate",
    "networking.gke.io/v1beta1.FrontendConfig": "FrontendConfig",
}
HOLDERS = {
    "configMap": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "secret": "Secret",
    "secretRef": "Secret",
    "secretKeyRef": "Secret",
    "secretTargetRef": "Secret",
    "authenticationRef": "TriggerAuthentication",
    "scaleTargetRef": "Deployment",
    "service": "Service",
    "secretStoreRef": "SecretStore",
    "secretStoreRefs": "SecretStore",
}
# What a kind needs and does not name: settings, peering, places of secrets and the right to them.
IMPLIED = {
    "Application": ("ConfigMap",),
    "ExternalSecret": ("PushSecret",),
    "PushSecret": ("SecretManagerSecret", "IAMPartialPolicy"),
    "RedisInstance": ("ServiceNetworkingConnection",),
    "SQLInstance": ("ServiceNetworkingConnection",),
}


class Node(NamedTuple):
    """One object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def node(item: Object) -> Node:
    return Node(item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])


def wave(item: Object) -> int:
    return int(item["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (key, value) at any depth; items of a list have the key of the list."""
    if isinstance(value, list):
        for item in value:
            yield from walk(item, key)
    else:
        yield key, value
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from walk(inner, name)


class Folder:
    """What one Application brings, and which of it needs which."""

    def __init__(self, objects: list[Object]) -> None:
        self.by_node = {node(item): item for item in objects}
        assert len(self.by_node) == len(objects)
        for item in list(self.by_node.values()):  # a Secret comes when what makes it does
            if item["kind"] == "ExternalSecret":
                target = item["spec"]["target"].get("name", item["metadata"]["name"])
                self.by_node[Node("Secret", item["metadata"]["namespace"], target)] = item
        groups = {id(item): item["apiVersion"].partition("/")[0] for item in objects}
        self.google = [one for one in objects if groups[id(one)].endswith(CNRM) and groups[id(one)] != f"core{CNRM}"]

    def named(self, kind: str, home: str, name: Any) -> list[Object]:
        found = (self.by_node.get(Node(kind, space, name)) for space in (home, ""))
        return [item for item in found if item]

    def referred(self, item: Object) -> Iterator[Object]:
        """What stands in an object by name."""
        home = item["metadata"].get("namespace", "")
        yield from self.named("Namespace", "", home)
        body = {key: value for key, value in item.items() if key not in ("kind", "metadata")}
        for key, value in walk([body, item["metadata"].get("annotations", {})]):
            if isinstance(value, str) and key in NAMES:
                yield from self.named(NAMES[key], home, value)
            if key == "cloud.google.com/backend-config":
                yield from self.named("BackendConfig", home, json.loads(value)["default"])
            if not isinstance(value, dict) or not isinstance(value.get("name"), str):
                continue
            kind = value.get("kind", HOLDERS.get(key, ""))
            yield from self.named(kind, value.get("namespace", home), value["name"])
            if item in self.google and (key.endswith(("Ref", "Refs")) or value.keys() == {"name"}):
                yield from self.in_google(key, kind, value["name"])

    def in_google(self, key: str, kind: str, name: str) -> list[Object]:
        """By the end of the key, as `privateNetworkRef` means a ComputeNetwork; else the only one of the name."""
        same = [item for item in self.google if item["metadata"]["name"] == name and kind in ("", item["kind"])]
        fitting = [item for item in same if fits(words(re.sub("Refs?$", "", key)), words(item["kind"]))]
        return fitting or (same if len(same) == 1 else [])

    def implied(self, item: Object) -> Iterator[Object]:
        """What an object needs and does not name; for pods also their ways out."""
        home = item["metadata"].get("namespace")
        wanted = IMPLIED.get(item["kind"], ())
        if item in self.google:
            wanted = (*wanted, "ConfigConnectorContext", *(["Service"] if item["kind"] != "Service" else []))
        for other in self.by_node.values():
            spec = other.get("spec", {})
            if other["kind"] in wanted:
                if item["kind"] not in ("PushSecret", "ExternalSecret") or places(item) & places(other):
                    yield other
            elif "egress" in spec and other["metadata"]["namespace"] == home and selects(spec["podSelector"], item):
                yield other

    def edges(self) -> set[tuple[Node, Node]]:
        """(object, what it needs)."""
        return {
            (consumer, node(needed))
            for consumer, item in self.by_node.items()
            if consumer.kind != "Secret"
            for needed in (*self.referred(item), *self.implied(item))
            if needed is not item
        }


def words(name: str) -> list[str]:
    """`SQLInstance` → sql, instance."""
    return [word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def fits(key: list[str], kind: list[str]) -> bool:
    """Whether one ends as the other does, the service before a kind aside: privateNetwork, ComputeNetwork."""
    _, *tail = kind
    return kind[-len(key) :] == key or key[-len(tail) :] == tail


def places(item: Object) -> set[str]:
    """Names in Secret Manager that an object reads, writes, is, or grants rights on."""
    spec = item["spec"]
    if item["kind"] == "ExternalSecret":
        return {one["remoteRef"]["key"] for one in spec["data"]}
    if item["kind"] == "PushSecret":
        return {one["match"]["remoteRef"]["remoteKey"] for one in spec["data"]}
    return {spec["resourceRef"].get("name", "") if "resourceRef" in spec else item["metadata"]["name"]}


def selects(selector: Any, item: Object) -> bool:
    """Whether the pods of a workload are selected; by the two forms that our policies have."""
    pods = [value for key, value in walk(item) if key == "template" and isinstance(value, dict)]
    labels = pods[0].get("metadata", {}).get("labels", {}) if pods else {}
    wanted = {key: [value] for key, value in selector.get("matchLabels", {}).items()}
    wanted |= {one["key"]: one["values"] for one in selector.get("matchExpressions", [])}
    return bool(pods) and all(labels.get(key) in values for key, values in wanted.items())


# Pairs of kinds that a graph without holes has, in both environments.
EXPECTED = {
    "argocd": {
        ("Application", "AppProject"),
        ("Application", "ConfigMap"),
        ("Application", "Namespace"),
        ("ConfigMap", "Namespace"),
        ("RoleBinding", "Role"),
    },
    "config-connector": {
        ("ComputeSubnetwork", "ComputeNetwork"),
        ("ComputeRouterNAT", "ComputeRouter"),
        ("ContainerNodePool", "ContainerCluster"),
        ("ContainerNodePool", "Service"),
        ("ExternalSecret", "PushSecret"),
        ("ExternalSecret", "SecretStore"),
        ("IAMPartialPolicy", "SecretManagerSecret"),
        ("MonitoringAlertPolicy", "MonitoringNotificationChannel"),
        ("PushSecret", "IAMPartialPolicy"),
        ("PushSecret", "Password"),
        ("PushSecret", "SecretManagerSecret"),
        ("RedisInstance", "ServiceNetworkingConnection"),
        ("SQLInstance", "ComputeNetwork"),
        ("SQLUser", "ExternalSecret"),
        ("SQLUser", "SQLInstance"),
        ("StorageBucket", "ConfigConnectorContext"),
    },
    "overlays": {
        ("CronJob", "NetworkPolicy"),
        ("CronJob", "ServiceAccount"),
        ("Deployment", "ConfigMap"),
        ("Deployment", "ExternalSecret"),
        ("Deployment", "NetworkPolicy"),
        ("Deployment", "PersistentVolumeClaim"),
        ("Deployment", "PriorityClass"),
        ("HorizontalPodAutoscaler", "Deployment"),
        ("Ingress", "FrontendConfig"),
        ("Ingress", "ManagedCertificate"),
        ("Ingress", "Service"),
        ("Job", "ExternalSecret"),
        ("ScaledObject", "TriggerAuthentication"),
        ("Service", "BackendConfig"),
        ("StatefulSet", "StorageClass"),
    },
}


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("options"), prod=environment(**OPTIONS))


@pytest.fixture(scope="module", params=["dev", "prod", "options"])
def root(request: pytest.FixtureRequest, tree: Path, options: Path) -> tuple[Path, str]:
    return (options, "prod") if request.param == "options" else (tree, request.param)


@pytest.mark.parametrize("above", EXPECTED)
def test_no_object_comes_before_what_it_needs(above: str, root: tuple[Path, str]) -> None:
    path, name = root
    folder = Folder(build(path, f"{above}/{name}"))
    edges = folder.edges()
    assert EXPECTED[above] <= {(consumer.kind, needed.kind) for consumer, needed in edges}
    waves = {one: wave(item) for one, item in folder.by_node.items()}
    google = {node(item) for item in folder.google}

    def apart(consumer: Node, needed: Node) -> bool:
        """Config Connector answers with an error, which ends the sync; an Application is synced at once."""
        return consumer.kind == "Application" or {consumer, needed} <= google

    assert [
        f"{needed} ({waves[needed]}) for {consumer} ({waves[consumer]})"
        for consumer, needed in sorted(edges)
        if waves[needed] > waves[consumer] - apart(consumer, needed)
    ] == []
    graph: dict[Node, set[Node]] = {}
    for consumer, needed in edges:
        graph.setdefault(consumer, set()).add(needed)
    TopologicalSorter(graph).prepare()  # raises where objects wait for each other


def test_nothing_that_root_waits_for_is_of_a_kind_that_comes_later(root: tuple[Path, str]) -> None:
    path, name = root
    objects = build(path, f"argocd/{name}")
    last = max(map(wave, objects))
    late = [one for one in objects if one["kind"] == "Application" or "external-secrets.io" in one["apiVersion"]]
    assert {wave(one) for one in late} == {last}
    # These are there when root begins: of Kubernetes, or bootstrap's.
    awaited = {one["apiVersion"].partition("/")[0] for one in objects if wave(one) < last}
    assert {"v1", "argoproj.io"} <= awaited <= {"v1", "argoproj.io", "rbac.authorization.k8s.io"}


def test_namespaces_of_root_come_first_and_what_stands_in_others_last(root: tuple[Path, str]) -> None:
    path, name = root
    objects = build(path, f"argocd/{name}")
    own = {one["metadata"]["name"]: wave(one) for one in objects if one["kind"] == "Namespace"}
    placed = [(one["metadata"]["namespace"], wave(one)) for one in objects if "namespace" in one["metadata"]]
    assert max(own.values()) < min(number for _, number in placed)
    assert {number for space, number in placed if space not in own} == {max(map(wave, objects))}
