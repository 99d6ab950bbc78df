"""The real Argo CD reads our settings: nothing to complain of, the health that we mean, the rights that we mean."""

from __future__ import annotations

from typing import Any

import pytest
from repo import Cluster, Object, build, environment, make

import argocd
from dify_gitops.process import ToolError

DIRECTORY = "CN=sre,OU=Groups,DC=acme"  # as LDAP and Active Directory call groups
OIDC = f"""{{oidc: {{
  issuer: https://id.acme.example, clientId: argo,
  platform: [sre, '{DIRECTORY}', Platform Team], viewers: [dev, 'dev "night" shift']}}}}"""
CNRM = "sql.cnrm.cloud.google.com/v1beta1"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cluster]:
    """Argo CD's objects by environment; in prod people log in by OIDC, in dev nobody but the admin does."""
    root = tmp_path_factory.mktemp("settings")
    make(root, dev=environment("dev"), prod=environment("prod", argocd=OIDC))
    return {name: Cluster(build(root, f"argocd/{name}")) for name in ("dev", "prod")}


def changed(config_map: Object, **data: str | None) -> Object:
    return {**config_map, "data": {**config_map["data"], **data}}


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_argo_cd_finds_nothing_wrong_with_its_settings(settings: dict[str, Cluster], name: str) -> None:
    assert argocd.complaints(settings[name].get("ConfigMap", "argocd-cm")) == {}
    assert argocd.policy_is_valid(settings[name].get("ConfigMap", "argocd-rbac-cm"))


@pytest.mark.parametrize(
    ("key", "value", "group", "reason"),
    [
        ("url", "::nowhere", "general", "Failed to validate URL"),
        ("oidc.config", "][", "general", "invalid oidc.config"),
        ("resource.customizations", "[]", "resource-overrides", "cannot unmarshal array"),
        ("accounts.ci", "no-such-right", "accounts", "no-such-right"),
    ],
)
def test_what_argo_cd_cannot_read_is_noticed(
    settings: dict[str, Cluster], key: str, value: str, group: str, reason: str
) -> None:
    wrong = changed(settings["prod"].get("ConfigMap", "argocd-cm"), **{key: value})
    found = argocd.complaints(wrong)
    assert list(found) == [group]
    assert reason in found[group]


def object_of(api_version: str, kind: str, status: Any) -> Object:
    metadata = {"name": "one", "namespace": "dify-infra", "generation": 2}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **({"status": status} if status else {})}


def ready(reason: str, status: str, generation: int = 2) -> Any:
    condition = {"type": "Ready", "status": status, "reason": reason, "message": "says Google"}
    return {"observedGeneration": generation, "conditions": [condition]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, ("Progressing", "Config Connector has not looked at it yet")),
        ({"conditions": []}, ("Progressing", "Config Connector has not looked at it yet")),
        (ready("UpToDate", "True", generation=1), ("Progressing", "Config Connector has not looked at it yet")),
        (ready("UpToDate", "True"), ("Healthy", "says Google")),
        (ready("UpToDate", "False"), ("Progressing", "says Google")),
        (ready("Updating", "False"), ("Progressing", "says Google")),
        (ready("UpdateFailed", "False"), ("Degraded", "says Google")),
        (ready("DependencyNotReady", "False"), ("Suspended", "says Google")),
        (ready("DependencyNotFound", "False"), ("Degraded", "says Google")),
        (ready("DependencyInvalid", "False"), ("Degraded", "says Google")),
        (ready("DeleteFailed", "False"), ("Degraded", "says Google")),
        (ready("ManagementConflict", "False"), ("Degraded", "says Google")),
    ],
)
def test_health_of_google_cloud_is_what_config_connector_says(
    settings: dict[str, Cluster], status: Any, expected: tuple[str, str]
) -> None:
    instance = object_of(CNRM, "SQLInstance", status)
    assert argocd.health(instance, settings["prod"].get("ConfigMap", "argocd-cm")) == expected


@pytest.mark.parametrize(
    ("api_version", "kind", "status", "expected"),
    [
        ("core.cnrm.cloud.google.com/v1beta1", "ConfigConnectorContext", {"healthy": True}, ("Healthy", "")),
        (
            "core.cnrm.cloud.google.com/v1beta1",
            "ConfigConnectorContext",
            {"healthy": False, "errors": ["a", "b"]},
            ("Degraded", "a; b"),
        ),
        ("argoproj.io/v1alpha1", "Application", None, ("Progressing", "not looked at yet")),
        (
            "argoproj.io/v1alpha1",
            "Application",
            {"health": {"status": "Degraded", "message": "a pod"}},
            ("Degraded", "a pod"),
        ),
        ("monitoring.googleapis.com/v1", "PodMonitoring", None, ("Healthy", "")),
        (
            "monitoring.googleapis.com/v1",
            "ClusterPodMonitoring",
            {"conditions": [{"type": "ConfigurationCreateSuccess", "status": "False", "message": "no port"}]},
            ("Degraded", "no port"),
        ),
        # Argo CD's own checks go on to work beside ours.
        (
            "external-secrets.io/v1",
            "ExternalSecret",
            {"conditions": [{"type": "Ready", "status": "False", "message": "no such secret"}]},
            ("Degraded", "no such secret"),
        ),
    ],
)
def test_health_of_the_other_kinds(
    settings: dict[str, Cluster], api_version: str, kind: str, status: Any, expected: tuple[str, str]
) -> None:
    assert (
        argocd.health(object_of(api_version, kind, status), settings["dev"].get("ConfigMap", "argocd-cm")) == expected
    )


def test_a_kind_without_a_check_has_no_health_and_a_broken_check_says_where(settings: dict[str, Cluster]) -> None:
    ours = settings["dev"].get("ConfigMap", "argocd-cm")
    pod_monitoring = object_of("monitoring.googleapis.com/v1", "PodMonitoring", None)
    assert argocd.health(object_of("v1", "ConfigMap", None), ours) is None
    key = "resource.customizations.health.monitoring.googleapis.com_PodMonitoring"
    with pytest.raises(ToolError, match=r"dify-infra/one: .*line:1.*syntax error"):
        argocd.health(pod_monitoring, changed(ours, **{key: "return = 1"}))


@pytest.mark.parametrize(
    ("subject", "action", "resource", "target", "allowed"),
    [
        ("sre", "get", "applications", "infra/infra", True),
        ("sre", "sync", "applications", "infra/infra", True),
        ("sre", "get", "logs", "dify/dify", True),
        (DIRECTORY, "sync", "applications", "infra/infra", True),
        ("CN=sre", "get", "applications", "infra/infra", False),
        ("Platform Team", "sync", "applications", "infra/infra", True),
        ('dev "night" shift', "get", "applications", "dify/dify", True),
        ('dev "night" shift', "sync", "applications", "dify/dify", False),
        ("sre", "create", "applications", "infra/other", False),
        ("sre", "update", "applications", "infra/infra", False),
        ("sre", "override", "applications", "infra/infra", False),
        ("sre", "delete", "applications", "infra/infra", False),
        ("sre", "delete/sql.cnrm.cloud.google.com/SQLInstance/dify-infra/db", "applications", "infra/infra", False),
        ("sre", "create", "exec", "dify/dify", False),
        ("sre", "update", "projects", "infra", False),
        ("sre", "create", "clusters", "https://elsewhere.example", False),
        ("sre", "create", "repositories", "https://elsewhere.example/x.git", False),
        ("dev", "get", "applications", "dify/dify", True),
        ("dev", "sync", "applications", "dify/dify", False),
        ("dev", "delete", "applications", "dify/dify", False),
        ("somebody", "get", "applications", "dify/dify", False),
        ("somebody", "get", "projects", "dify", False),
        ("admin", "delete", "applications", "dify/dify", True),
    ],
)
def test_rights_are_those_of_the_groups_in_the_input(
    settings: dict[str, Cluster], subject: str, action: str, resource: str, target: str, *, allowed: bool
) -> None:
    policy = settings["prod"].get("ConfigMap", "argocd-rbac-cm")
    assert argocd.may(subject, action, resource, target, policy) is allowed


def test_a_policy_that_cannot_be_read_or_a_right_that_does_not_exist_is_no_answer(settings: dict[str, Cluster]) -> None:
    ours = settings["prod"].get("ConfigMap", "argocd-rbac-cm")
    half = changed(ours, **{"policy.csv": "p, role:platform, applications\n"})
    assert not argocd.policy_is_valid(half)
    with pytest.raises(AssertionError, match="policy syntax error: p, role:platform, applications"):
        argocd.may("sre", "get", "applications", "dify/dify", half)
    with pytest.raises(AssertionError, match="'fly' is not a valid action for applications"):
        argocd.may("sre", "fly", "applications", "dify/dify", ours)


def test_manifests_of_the_pinned_version_are_at_hand() -> None:
    folder = argocd.manifests()
    for variant, replicas in (("cluster-install", 1), ("ha/cluster-install", 2)):
        server = Cluster(build(folder, variant)).get("Deployment", "argocd-server")
        container = server["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == "quay.io/argoproj/argocd:v3.5.7"
        assert server["spec"].get("replicas", 1) == replicas
