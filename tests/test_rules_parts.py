"""What the rules are made of, judged case by case: Pod Security, NetworkPolicies, selectors, addresses, secrets, routes."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from cluster_fixtures import good_objects, identity

from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.rules import examine
from dify_gitops.rules.calls import calls
from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.dify import image_parts
from dify_gitops.rules.ingress import Route
from dify_gitops.rules.network import EGRESS, INGRESS, Endpoint, Network
from dify_gitops.rules.selectors import matches, spell
from dify_gitops.rules.standards import violations

NOW = (1, 35)


# --- Pod Security ----------------------------------------------------------------------------------------------

SAFE_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
SAFE_POD = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def refused(
    level: str,
    *,
    spec: dict[str, Any] | None = None,
    pod: dict[str, Any] | None = None,
    container: dict[str, Any] | None = None,
    fields: dict[str, Any] | None = None,
    version: tuple[int, int] = NOW,
    init: bool = False,
) -> list[str]:
    """Fields that the standard refuses in a pod that is safe but for what is given."""
    one = {"name": "main", "securityContext": SAFE_CONTAINER | (container or {}), **(fields or {})}
    two = {"name": "other", "securityContext": SAFE_CONTAINER}
    body = {"securityContext": SAFE_POD | (pod or {}), "containers": [two if init else one], **(spec or {})}
    if init:
        body["initContainers"] = [one]
    document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": body}
    return [field for field, _ in violations(Cluster([document], "1.35").pods[0], level, version)]


BASELINE_REFUSES: list[tuple[dict[str, Any], str]] = [
    ({"spec": {"hostNetwork": True}}, "spec.hostNetwork"),
    ({"spec": {"hostPID": True}}, "spec.hostPID"),
    ({"spec": {"hostIPC": True}}, "spec.hostIPC"),
    ({"container": {"privileged": True}}, "spec.containers[main].securityContext.privileged"),
    (
        {"container": {"windowsOptions": {"hostProcess": True}}},
        "spec.containers[main].securityContext.windowsOptions.hostProcess",
    ),
    (
        {"container": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]}}},
        "spec.containers[main].securityContext.capabilities.add",
    ),
    ({"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}, "spec.volumes[v].hostPath"),
    ({"fields": {"ports": [{"containerPort": 1, "hostPort": 1}]}}, "spec.containers[main].ports.hostPort"),
    (
        {"fields": {"livenessProbe": {"httpGet": {"host": "10.0.0.1", "port": 80}}}},
        "spec.containers[main].livenessProbe.httpGet.host",
    ),
    (
        {"fields": {"lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}}},
        "spec.containers[main].lifecycle.preStop.tcpSocket.host",
    ),
    ({"pod": {"appArmorProfile": {"type": "Unconfined"}}}, "spec.securityContext.appArmorProfile.type"),
    ({"pod": {"seLinuxOptions": {"type": "spc_t"}}}, "spec.securityContext.seLinuxOptions.type"),
    ({"container": {"seLinuxOptions": {"user": "u"}}}, "spec.containers[main].securityContext.seLinuxOptions.user"),
    ({"container": {"procMount": "Unmasked"}}, "spec.containers[main].securityContext.procMount"),
    (
        {"container": {"seccompProfile": {"type": "Unconfined"}}},
        "spec.containers[main].securityContext.seccompProfile.type",
    ),
    ({"pod": {"sysctls": [{"name": "kernel.msgmax"}]}}, "spec.securityContext.sysctls"),
]
RESTRICTED_REFUSES: list[tuple[dict[str, Any], str]] = [
    *BASELINE_REFUSES,
    ({"spec": {"volumes": [{"name": "v", "nfs": {"server": "s", "path": "/"}}]}}, "spec.volumes[v]"),
    ({"pod": {"seccompProfile": {"type": "Unconfined"}}}, "spec.securityContext.seccompProfile.type"),
    (
        {"container": {"allowPrivilegeEscalation": None}},
        "spec.containers[main].securityContext.allowPrivilegeEscalation",
    ),
    ({"container": {"capabilities": {}}}, "spec.containers[main].securityContext.capabilities.drop"),
    (
        {"container": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}},
        "spec.containers[main].securityContext.capabilities.add",
    ),
    ({"container": {"runAsNonRoot": False}}, "spec.containers[main].securityContext.runAsNonRoot"),
    ({"pod": {"runAsUser": 0}}, "spec.securityContext.runAsUser"),
]


@pytest.mark.parametrize(("case", "field"), BASELINE_REFUSES, ids=[field for _, field in BASELINE_REFUSES])
def test_baseline_refuses(case: dict[str, Any], field: str) -> None:
    assert refused("baseline", **case) == [field]


@pytest.mark.parametrize(("case", "field"), RESTRICTED_REFUSES, ids=[field for _, field in RESTRICTED_REFUSES])
def test_restricted_refuses(case: dict[str, Any], field: str) -> None:
    assert refused("restricted", **case) == [field]


@pytest.mark.parametrize("case", [case for case, _ in RESTRICTED_REFUSES if {"container", "fields"} & case.keys()])
def test_restricted_looks_into_init_containers(case: dict[str, Any]) -> None:
    (field,) = refused("restricted", init=True, **case)
    assert field.startswith("spec.initContainers[main]")


@pytest.mark.parametrize("case", [case for case, _ in RESTRICTED_REFUSES[len(BASELINE_REFUSES) :]])
def test_baseline_admits_what_only_restricted_refuses(case: dict[str, Any]) -> None:
    admitted = refused("baseline", **case)
    assert admitted == (["spec.securityContext.seccompProfile.type"] if "Unconfined" in str(case) else [])


def test_restricted_wants_every_protection_to_be_named() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod"},
        "spec": {"containers": [{"name": "main"}]},
    }
    context = "spec.containers[main].securityContext"
    assert [field for field, _ in violations(Cluster([document], "1.35").pods[0], "restricted", NOW)] == [
        f"{context}.seccompProfile.type",
        f"{context}.allowPrivilegeEscalation",
        f"{context}.capabilities.drop",
        f"{context}.runAsNonRoot",
    ]


def test_the_version_of_the_standard_decides() -> None:
    probe = {"livenessProbe": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}
    assert refused("baseline", fields=probe, version=(1, 33)) == []
    assert refused("baseline", fields=probe, version=(1, 34)) != []
    memory = {"sysctls": [{"name": "net.ipv4.tcp_rmem"}]}
    assert refused("baseline", pod=memory, version=(1, 31)) != []
    assert refused("baseline", pod=memory, version=(1, 32)) == []
    own_users: dict[str, Any] = {"spec": {"hostUsers": False}, "pod": {"runAsUser": 0, "runAsNonRoot": False}}
    assert refused("restricted", **own_users, version=(1, 34)) != []
    assert refused("restricted", **own_users, version=(1, 35)) == []
    unmasked: dict[str, Any] = {"spec": {"hostUsers": False}, "container": {"procMount": "Unmasked"}}
    assert refused("baseline", **unmasked) == []
    assert refused("restricted", **unmasked) != []


# --- NetworkPolicies -------------------------------------------------------------------------------------------


def allowed(
    *specs: dict[str, Any], direction: str = EGRESS, other: Any = None, port: int = 80, protocol: str = "TCP"
) -> bool:
    """Whether pod `a` of namespace `one` may connect under these policies of its namespace."""
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
    target = other if other is not None else Endpoint("one", {"app": "b"}, {"http": 8080})
    return Network(cluster).allows(direction, cluster.pods[0], target, port, protocol)


DENY = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
TO_B = {"podSelector": {"matchLabels": {"app": "b"}}}


def egress(*peers: dict[str, Any], ports: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": list(peers), "ports": ports or []}]}


def test_without_policy_everything_is_allowed_and_each_policy_restricts_its_direction() -> None:
    assert allowed()
    assert not allowed(DENY)
    assert not allowed(DENY, direction=INGRESS)
    assert allowed({"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Egress"]}), "selects another pod"
    assert allowed({"podSelector": {}}), "without types only ingress is restricted …"
    assert not allowed({"podSelector": {}}, direction=INGRESS)
    assert not allowed({"podSelector": {}, "egress": [{"to": [{"podSelector": {}}]}]}, port=80, other=ip_network("8.8.8.8"))
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
    both = {"namespaceSelector": {"matchLabels": {"tier": "two"}}, "podSelector": {"matchLabels": {"app": "c"}}}
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
    assert not allowed(egress(TO_B), other=ip_network("10.2.0.0/16"))


def test_ports_by_number_name_range_and_protocol() -> None:
    assert allowed(egress(TO_B, ports=[{"port": 8080}]), port=8080)
    assert not allowed(egress(TO_B, ports=[{"port": 8080}]), port=8081)
    assert allowed(egress(TO_B, ports=[{"port": 8000, "endPort": 8100}]), port=8080)
    assert not allowed(egress(TO_B, ports=[{"port": 8000, "endPort": 8100}]), port=8101)
    assert allowed(egress(TO_B, ports=[{"port": "http"}]), port=8080), "the name of the pod that accepts"
    assert not allowed(egress(TO_B, ports=[{"port": "http"}]), port=80)
    assert not allowed(egress(TO_B, ports=[{"port": 53, "protocol": "UDP"}]), port=53)
    assert allowed(egress(TO_B, ports=[{"protocol": "UDP"}]), port=53, protocol="UDP")
    ingress = {"podSelector": {}, "ingress": [{"from": [TO_B], "ports": [{"port": "http"}]}]}
    assert allowed(ingress, direction=INGRESS, port=80)
    assert not allowed(ingress, direction=INGRESS, port=8080)


# --- selectors, images -----------------------------------------------------------------------------------------


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


def test_a_selector_is_spelt_as_kubectl_does() -> None:
    selector = {
        "matchLabels": {"app": "a"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["x", "y"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    assert spell(selector) == "app=a,tier In (x,y),old DoesNotExist"
    assert spell({}) == "everything"


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


# --- calls -----------------------------------------------------------------------------------------------------


def pick(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (item,) = [item for item in objects if identity(item) == name]
    return item


def told(name: str, value: str, **more: str) -> list[tuple[str, str, int | None]]:
    """(namespace, Service, port) that beat, which calls nothing by itself, is told of by variables."""
    objects = good_objects()
    container = pick(objects, "Deployment dify/beat")["spec"]["template"]["spec"]["containers"][0]
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


# --- secrets ---------------------------------------------------------------------------------------------------

INNOCENT = {
    "AUTHENTICATION_APIKEY_ENABLED": "true",
    "AUTHENTICATION_APIKEY_USERS": "dify",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "60",
    "INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH": "4000",
    "PLUGIN_BASED_TOKEN_COUNTING_ENABLED": "false",
    "REDIS_PASSWORD": "",
    "SMTP_PASSWORD": "$(PASSWORD)",
    "TLS_KEY": "/etc/tls/tls.key",
    "DB_PASSWORD": "${DB_PASSWORD}",
    "ADMIN_API_KEY": "false",
    "CELERY_QUEUES": "dataset,priority_dataset,triggered_workflow_dispatcher",
    "IMAGE": "langgenius/dify-api@sha256:6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "CHECKSUM": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
    "ID": "0d5f8e3a-93cf-4c1e-9a4a-5a5f0d1e6b7c",
    "BUCKET": "acme-dify-prod-backups-asia-northeast1-2026",
    "CONNECTION": "acme-dify-prod:asia-northeast1:dify-postgres-a",
    "CODE_EXECUTION_ENDPOINT": "http://sandbox.dify-sandbox.svc.cluster.local:8194",
    "BROKER": "redis://:$(REDIS_PASSWORD)@127.0.0.1:6379/1",
    "CLASS": "ThisIsAVeryLongClassNameOfSomeJavaProgram2",
    "GUNICORN_CMD_ARGS": "--keep-alive 620 --graceful-timeout 1200 --worker-tmp-dir /tmp",
    "CIPHERS": "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
    "MAIL": "https://user@mail.acme.example/path",
    "NAMESPACE": "dify-sandbox",
}
GUILTY = {
    "SMTP_PASSWORD": ("hunter2", "a secret by its name"),
    "smtp-password": ("hunter2", "a secret by its name"),
    "API_KEY": ("dify-sandbox", "a published sample value of Dify"),
    "SERVER": ("lYkiYYT6owG+71oLerGzA7GXCgOT++6ovaezWAjpCjf+Sjc3ZtU+qUEi", "a published sample value of Dify"),
    "URL": ("postgresql://dify:s3cret@10.3.0.5/dify", "a password in a URL"),
    "PEM": ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "a private key"),
    "MAPS": ("AIza" + "Sy" + 33 * "a", "a Google API key"),
    "CLOUD": ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS access key"),
    "HOOK": ("xoxb-" + 12 * "1", "a Slack token"),
    "MODEL": ("sk-" + "proj0123456789abcdefghij", "an API key"),
    "JWT": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc", "a JSON web token"),
    "VALUE": ("3Tz9kQb7LmX2vR8wYp4NcJ6hDf5s", "a generated password or key"),
    "BASE64": ("q1Zr8Jw5Yt3Kx0Vb7Nm2Lc9Hg4Fd6Sa=", "a generated password or key"),
}


def suspected(name: str, value: str) -> list[str]:
    objects = good_objects()
    pick(objects, "ConfigMap dify/queues")["data"][name] = value
    findings = examine(objects, "good.yaml", "1.35")
    assert not [finding for finding in findings if value and value in str(finding)], "a secret is never repeated"
    return [finding.message for finding in findings if finding.rule == "no-plain-secret"]


@pytest.mark.parametrize("name", INNOCENT)
def test_no_false_alarm_about_secrets(name: str) -> None:
    assert suspected(name, INNOCENT[name]) == []


@pytest.mark.parametrize("name", GUILTY)
def test_secrets_are_recognized(name: str) -> None:
    value, kind = GUILTY[name]
    assert suspected(name, value) == [f"looks like {kind}"]


# --- routes ----------------------------------------------------------------------------------------------------


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
    findings = examine(objects, "good.yaml", "1.35")
    return [finding.message.split()[0] for finding in findings if finding.rule == "internal-paths"]


def test_the_longest_route_decides_whether_an_internal_path_is_public() -> None:
    assert routed(("/inner", "Prefix", "api"), ("/inner/api", "Prefix", "weaviate")) == []
    assert routed(("/", "Prefix", "api"), ("/inner/api", "Prefix", "weaviate")) == ["/db-pool-stat", "/health", "/threads"]
    assert routed(("/*", "ImplementationSpecific", "weaviate"), ("/threads", "Exact", "api")) == ["/threads"]
    assert routed(("/", "Prefix", "weaviate"), ("/console/api", "Prefix", "api")) == []


# --- scaling and queues ----------------------------------------------------------------------------------------


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
    rules = [finding.rule for finding in examine(objects, "good.yaml", "1.35")]
    assert rules == ([] if fine else ["disruption-allowed"])


@pytest.mark.parametrize("version", RELEASES)
def test_every_queue_of_the_dify_version_needs_a_consumer(version: str) -> None:
    objects = good_objects()
    for workload in ("Deployment dify/api", "Deployment dify/worker-batch", "Deployment dify/beat", "Job dify/migration"):
        container = pick(objects, workload)["spec"]["template"]["spec"]["containers"][0]
        container["image"] = f"mirror.example/langgenius/dify-api:{version}"
    findings = [str(finding) for finding in examine(objects, "good.yaml", "1.35")]
    for queue in set(RELEASES[version].queues) - {"dataset", "schedule_poller"}:
        assert any(f"queue {queue} of Dify {version} has no consumer" in finding for finding in findings)
    assert len(findings) == len(RELEASES[version].queues) - 2


def test_the_api_is_recognized_under_another_name() -> None:
    objects = good_objects()
    for workload in ("Deployment dify/api", "Deployment dify/worker-batch", "Deployment dify/beat", "Job dify/migration"):
        pick(objects, workload)["spec"]["template"]["spec"]["containers"][0]["image"] = "mirror.example/acme/backend:7"
    assert examine(objects, "good.yaml", "1.35") == []
    pick(objects, "ConfigMap dify/dify")["data"]["MIGRATION_ENABLED"] = "true"
    assert {finding.rule for finding in examine(objects, "good.yaml", "1.35")} == {"migration-elsewhere"}
