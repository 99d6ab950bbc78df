"""Connections as our rules see them: NetworkPolicies as Kubernetes evaluates them, selectors, and who calls whom."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

import pytest
from cluster_fixtures import first_container, good_objects, pick
from repo import build

from dify_gitops.input.load import load_repository
from dify_gitops.rules import examine, examine_joined
from dify_gitops.rules.calls import calls, container_port, service_port
from dify_gitops.rules.cluster import Cluster, Pod
from dify_gitops.rules.network import EGRESS, INGRESS, Endpoint, Network
from dify_gitops.rules.pods import mounts_token
from dify_gitops.rules.selectors import matches, spell

if TYPE_CHECKING:
    from pathlib import Path

    from repo import Cluster as Rendered


def network(*specs: dict[str, Any]) -> tuple[Network, Pod]:
    """Pod `a` of namespace `one`, beside a namespace `two`, and these policies of its namespace."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "one", "labels": {"app": "a"}},
        "spec": {"containers": [{"name": "a", "ports": [{"name": "http", "containerPort": 80}]}]},
    }
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"tier": name}}}
        for name in ("one", "two")
    ]
    policies = [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": str(number), "namespace": "one"},
            "spec": spec,
        }
        for number, spec in enumerate(specs)
    ]
    cluster = Cluster([pod, *namespaces, *policies], "1.35")
    return Network(cluster), cluster.pods[0]


def allowed(
    *specs: dict[str, Any], direction: str = EGRESS, other: Any = None, port: int = 80, protocol: str = "TCP"
) -> bool:
    """Whether pod `a` may connect under these policies."""
    policies, pod = network(*specs)
    target = other if other is not None else Endpoint("one", {"app": "b"}, {"http": 8080})
    return policies.allows(direction, pod, target, port, protocol)


DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
TO_B = {"podSelector": {"matchLabels": {"app": "b"}}}


def egress(*peers: dict[str, Any], ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [{"to": list(peers), "ports": ports or []}],
    }


def test_without_policy_everything_is_allowed_and_each_policy_restricts_its_direction() -> None:
    assert allowed()
    assert not allowed(DENY)
    assert not allowed(DENY, direction=INGRESS)
    assert allowed({"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Egress"]}), "selects another pod"
    assert allowed({"podSelector": {}}), "without types only ingress is restricted …"
    assert not allowed({"podSelector": {}}, direction=INGRESS)
    assert not allowed(
        {"podSelector": {}, "egress": [{"to": [{"podSelector": {}}]}]}, port=80, other=ip_network("8.8.8.8")
    )
    assert allowed({"podSelector": {}, "policyTypes": ["Egress"]}, direction=INGRESS)


def test_policies_add_up() -> None:
    assert allowed(DENY, egress(TO_B))
    assert allowed(DENY, egress()), "a rule without peers allows all"


def test_peers_select_pods_by_namespace_and_labels() -> None:
    in_two = Endpoint("two", {"app": "b"}, {})
    assert not allowed(egress(TO_B), other=in_two), "a pod selector alone means the policy's own namespace"
    assert allowed(egress({"namespaceSelector": {"matchLabels": {"tier": "two"}}}), other=in_two)
    assert allowed(egress({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "two"}}}), other=in_two)
    assert allowed(egress({"namespaceSelector": {}}), other=Endpoint("elsewhere", {}, {}))
    both = {
        "namespaceSelector": {"matchLabels": {"tier": "two"}},
        "podSelector": {"matchLabels": {"app": "c"}},
    }
    assert not allowed(egress(both), other=in_two)
    assert not allowed(egress({"ipBlock": {"cidr": "0.0.0.0/0"}}), other=in_two), "a block never matches a pod"


def test_blocks_cover_whole_ranges() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    assert allowed(egress(block), other=ip_network("10.2.0.0/16"))
    assert not allowed(egress(block), other=ip_network("10.1.2.0/24")), "excepted"
    assert not allowed(egress(block), other=ip_network("10.0.0.0/8")), "a part is excepted"
    assert not allowed(egress(block), other=ip_network("0.0.0.0/0"))
    assert not allowed(egress(block), other=ip_network("fd00::/8"))
    assert not allowed(egress({"ipBlock": {"cidr": "10.0.0.0/33"}}), other=ip_network("10.2.0.0/16"))
    assert allowed(egress({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["x"]}}), other=ip_network("10.2.0.0/16"))
    six = {"ipBlock": {"cidr": "fd00::/8"}}
    assert allowed(egress(six), other=ip_network("fd12::/16"))
    assert not allowed(egress(six), other=ip_network("2001:db8::/32"))
    assert not allowed(egress(six), other=ip_network("10.2.0.0/16"))
    assert not allowed(egress(TO_B), other=ip_network("10.2.0.0/16"))


def test_a_pod_leaves_the_cluster_where_a_block_allows_the_port() -> None:
    def leaves(*specs: dict[str, Any]) -> bool:
        policies, pod = network(*specs)
        return policies.leaves(pod, 3307)

    block = {"ipBlock": {"cidr": "10.3.0.0/16"}}
    assert leaves()
    assert not leaves(DENY)
    assert leaves(DENY, egress(block, ports=[{"port": 3307}]))
    assert not leaves(DENY, egress(block, ports=[{"port": 5432}]))
    assert not leaves(DENY, egress(TO_B, ports=[{"port": 3307}]))


def test_ports_by_number_name_range_and_protocol() -> None:
    assert allowed(egress(TO_B, ports=[{"port": 8080}]), port=8080)
    assert not allowed(egress(TO_B, ports=[{"port": 8080}]), port=8081)
    assert allowed(egress(TO_B, ports=[{"port": 8000, "endPort": 8100}]), port=8080)
    assert not allowed(egress(TO_B, ports=[{"port": 8000, "endPort": 8100}]), port=8101)
    assert allowed(egress(TO_B, ports=[{"port": "http"}]), port=8080), "the name of the pod that accepts"
    assert not allowed(egress(TO_B, ports=[{"port": "http"}]), port=80)
    assert not allowed(egress(TO_B, ports=[{"port": "grpc"}]), port=8080)
    assert not allowed(egress(TO_B, ports=[{"port": 53, "protocol": "UDP"}]), port=53)
    assert allowed(egress(TO_B, ports=[{"protocol": "UDP"}]), port=53, protocol="UDP")
    ingress = {"podSelector": {}, "ingress": [{"from": [TO_B], "ports": [{"port": "http"}]}]}
    assert allowed(ingress, direction=INGRESS, port=80)
    assert not allowed(ingress, direction=INGRESS, port=8080)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app": "a"}}, True),
        ({"matchLabels": {"app": "a", "tier": "x"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["b", "a"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Is", "values": ["a"]}]}, False),
        ({"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
    ],
)
def test_selectors(selector: Any, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert matches(selector, {"app": "a"}) is expected


def test_a_selector_is_spelt_on_one_line() -> None:
    selector = {
        "matchLabels": {"app": "a"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["x", "y"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    assert spell(selector) == "app=a,tier In (x,y),old DoesNotExist"
    assert spell({}) == "everything"


def told(name: str, value: str, **more: str) -> list[tuple[str, str, int | None]]:
    """(namespace, Service, port) that beat, which calls nothing by itself, is told of by variables."""
    objects = good_objects()
    container = first_container(objects, "Deployment dify/beat")
    container["env"] = [{"name": key, "value": text} for key, text in {name: value, **more}.items()]
    cluster = Cluster(objects, "1.35")
    (pod,) = [pod for pod in cluster.pods if pod.owner.name == "beat"]
    return [(call.namespace, call.service, call.port) for call in calls(cluster, pod)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://weaviate.dify.svc.cluster.local:8080/v1", ("dify", "weaviate", 8080)),
        ("http://weaviate.dify.svc.cluster.local", ("dify", "weaviate", 80)),
        ("https://weaviate.dify.svc", ("dify", "weaviate", 443)),
        ("grpc://user:pass@weaviate.dify.svc.cluster.local.:50051", ("dify", "weaviate", 50051)),
        ("weaviate-0.weaviate.dify.svc.cluster.local:7946", ("dify", "weaviate", 7946)),
        ("sandbox.dify-sandbox.svc.cluster.local", ("dify-sandbox", "sandbox", None)),
        ("http://sandbox.dify-sandbox:8194", ("dify-sandbox", "sandbox", 8194)),
        ("http://api/files", ("dify", "api", 80)),
        ("api:5001", ("dify", "api", 5001)),
        ("--upstream=api:5001", ("dify", "api", 5001)),
        ('{"url": "http://missing.dify.svc:1"}', ("dify", "missing", 1)),
    ],
)
def test_addresses_of_services_are_found(value: str, expected: tuple[str, str, int | None]) -> None:
    assert told("ENDPOINT", value) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        "api",
        "weaviate",
        "semitechnologies/weaviate:1.27.0",
        "weaviate:1.27.0",
        "https://api.acme.example:5001",
        "http://127.0.0.1:5001",
        "api-key:5001",
        "the-api:5001",
        ".svc.cluster.local",
        "redis:6379",
        "nobody@api:5001",
        "# http://api:5001",
        "",
    ],
)
def test_what_only_looks_like_an_address_is_none(value: str) -> None:
    assert told("ENDPOINT", value) == []


def test_host_and_port_in_two_variables_belong_together() -> None:
    assert told("SANDBOX_HOST", "sandbox.dify-sandbox.svc.cluster.local", SANDBOX_PORT="8194") == [
        ("dify-sandbox", "sandbox", 8194)
    ]
    assert told("API_HOST", "api", API_PORT="5001") == [("dify", "api", 5001)]
    assert told("API_NAME", "api", API_PORT="5001") == []
    assert told("API_HOST", "api:9", API_PORT="5001") == [("dify", "api", 9)]
    assert told("API", "api.dify.svc", API_PORT="5001") == [("dify", "api", None)]


def test_each_service_and_port_counts_once_and_without_port_the_first_one() -> None:
    both = told("HTTP_PROXY", "http://ssrf-proxy:3128", HTTPS_PROXY="http://ssrf-proxy:3128")
    assert both == [("dify", "ssrf-proxy", 3128)]
    service = Cluster(good_objects(), "1.35").find("Service", "dify", "ssrf-proxy")
    assert service is not None
    assert service_port(service, None) == service_port(service, 3128) == service_port(service, "proxy")
    assert service_port(service, 80) is None


def test_a_headless_service_translates_no_port() -> None:
    cluster = Cluster(good_objects(), "1.35")
    (pod,) = [pod for pod in cluster.pods if pod.owner.name == "weaviate"]
    service = cluster.find("Service", "dify", "weaviate")
    assert service is not None
    entry = {"port": 80, "targetPort": "http"}
    assert container_port(service, entry, pod) == 80
    service.data["spec"]["clusterIP"] = "10.2.0.7"
    assert container_port(service, entry, pod) == 8080
    assert container_port(service, {"port": 80}, pod) == 80
    assert container_port(service, {"port": 80, "targetPort": "grpc"}, pod) is None


def test_a_call_is_shown_without_what_stands_before_its_host() -> None:
    objects = good_objects()
    first_container(objects, "Deployment dify/beat")["env"] = [{"name": "URL", "value": "http://me:hunter2@api:9"}]
    messages = [
        finding.message for finding in examine(objects, "good.yaml", "1.35", "1.11.4") if finding.rule == "port-exists"
    ]
    assert messages == ["calls api:9, but Service dify/api has no port 9"]


def test_hosts_that_are_not_called_do_not_count() -> None:
    assert told("NO_PROXY", "api:5001,.svc.cluster.local") == []


def test_files_of_config_maps_count_without_their_comments() -> None:
    objects = good_objects()
    pick(objects, "ConfigMap dify/squid")["data"]["squid.conf"] = "  # http://api:1\nserver api:5001;\n"
    cluster = Cluster(objects, "1.35")
    (pod,) = [pod for pod in cluster.pods if pod.owner.name == "ssrf-proxy"]
    (call,) = calls(cluster, pod)
    assert (call.service, call.port) == ("api", 5001)
    assert call.field == "spec.template.spec.volumes[config].squid.conf"


TOKEN = {"projected": {"sources": [{"configMap": {"name": "ca"}}, {"serviceAccountToken": {"path": "token"}}]}}
FOR_OTHERS = {"projected": {"sources": [{"serviceAccountToken": {"path": "token", "audience": "vault"}}]}}


@pytest.mark.parametrize(
    ("account", "pod", "expected"),
    [
        ({}, {}, True),
        ({"automountServiceAccountToken": False}, {}, False),
        ({"automountServiceAccountToken": False}, {"automountServiceAccountToken": True}, True),
        ({"automountServiceAccountToken": True}, {"automountServiceAccountToken": False}, False),
        ({"automountServiceAccountToken": False}, {"serviceAccountName": "elsewhere"}, True),
        ({"automountServiceAccountToken": False}, {"volumes": [{"emptyDir": {}}, TOKEN]}, True),
        ({"automountServiceAccountToken": False}, {"volumes": [FOR_OTHERS]}, False),
    ],
)
def test_a_token_of_the_api_server_is_mounted(account: Any, pod: Any, expected: bool) -> None:  # noqa: FBT001 - a column
    metadata = {"name": "a", "namespace": "one"}
    objects = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata, **account},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"serviceAccountName": "a", **pod}},
    ]
    cluster = Cluster(objects, "1.35")
    assert mounts_token(cluster, cluster.pods[0]) is expected


def test_each_network_policy_that_we_generate_is_missed_when_it_is_gone(prod: Rendered, tree: Path) -> None:
    """But one: Kubernetes admits the kubelet anyway, so no rule looks at the ways of probes. Denials add nothing."""
    environment = load_repository(tree).environments["prod"]
    google = build(tree, "config-connector/prod")
    policies = [item for item in prod.objects if item["kind"] == "NetworkPolicy"]
    for policy in policies:
        others = [item for item in prod.objects if item is not policy]
        found = [*examine(others, "", "1.35", "1.11.4"), *examine_joined(others, google, "", environment)]
        opens = "ingress" in policy["spec"] or "egress" in policy["spec"]
        name = policy["metadata"]["name"]
        assert bool(found) is (name != "probes" and (opens or name == "default-deny")), policy["metadata"]
