"""argocd/<env>: projects permit what is rendered and no more, Applications sync it, and every kind is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from repo import Cluster, build, environment, make

from dify_gitops.catalogue.controllers import ALPHA_GROUPS, ARGOCD, CONFIG_CONNECTOR_VERSION, CONTROLLERS, installer
from dify_gitops.rules.argocd.applications import OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from repo import Object

FOLDERS = {"dify": "overlays", "infra": "config-connector", "root": "argocd"}
CORE = ""


def group(item: Object) -> str:
    before, slash, _ = item["apiVersion"].partition("/")
    return str(before) if slash else CORE


def argocd(tree: Path, name: str = "prod") -> Cluster:
    return Cluster(build(tree, f"argocd/{name}"))


@pytest.fixture(scope="module", params=["dev", "prod"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def delivery(tree: Path, name: str) -> Cluster:
    return argocd(tree, name)


def lists(project: Object) -> tuple[set[tuple[str, str, str]], set[tuple[str, str]], set[str]]:
    """Kinds without namespace (with their name), kinds with one, namespaces."""
    spec = project["spec"]
    wide = {(entry["group"], entry["kind"], entry.get("name", "")) for entry in spec["clusterResourceWhitelist"]}
    kinds = {(entry["group"], entry["kind"]) for entry in spec["namespaceResourceWhitelist"]}
    return wide, kinds, {entry["namespace"] for entry in spec["destinations"]}


@pytest.mark.parametrize("project", ["dify", "infra"])
def test_a_project_permits_what_is_rendered_and_nothing_else(
    project: str, tree: Path, name: str, delivery: Cluster
) -> None:
    objects = build(tree, f"{FOLDERS[project]}/{name}")
    wide, kinds, namespaces = lists(delivery.get("AppProject", project))
    homes = {item["metadata"]["namespace"] for item in objects if "namespace" in item["metadata"]}
    assert namespaces == homes
    assert kinds == {(group(item), item["kind"]) for item in objects if "namespace" in item["metadata"]}
    assert wide == {
        (group(item), item["kind"], item["metadata"]["name"]) for item in objects if "namespace" not in item["metadata"]
    }


def test_the_platform_s_project_adds_what_controllers_consist_of(delivery: Cluster) -> None:
    wide, kinds, namespaces = lists(delivery.get("AppProject", "platform"))
    theirs = {(*kind, "") for controller in CONTROLLERS for kind in controller.cluster_kinds}
    ours = [item for item in delivery.objects if "namespace" not in item["metadata"]]
    assert wide == theirs | {
        (group(item), item["kind"], item["metadata"]["name"])
        for item in ours
        if (group(item), item["kind"], "") not in theirs
    }
    own = [item for item in delivery.objects if "namespace" in item["metadata"]]
    assert kinds == {kind for controller in CONTROLLERS for kind in controller.kinds}.union(
        (group(item), item["kind"]) for item in own
    )
    assert namespaces == {space for controller in CONTROLLERS for space in controller.namespaces}.union(
        item["metadata"]["namespace"] for item in own
    )


def test_the_default_project_lets_nothing_in(delivery: Cluster) -> None:
    spec = delivery.get("AppProject", "default")["spec"]
    assert spec["sourceRepos"] == spec["destinations"] == spec["clusterResourceWhitelist"] == []
    assert spec["namespaceResourceBlacklist"] == [{"group": "*", "kind": "*"}]


def test_the_workloads_hold_no_rights(delivery: Cluster) -> None:
    _, kinds, _ = lists(delivery.get("AppProject", "dify"))
    assert not [kind for one, kind in kinds if one in ("rbac.authorization.k8s.io", "argoproj.io")]
    assert not [kind for one, kind in kinds if one.endswith("cnrm.cloud.google.com")]


APPLICATIONS = {
    "root": ("platform", False, False),
    "argocd": ("platform", True, False),
    "external-secrets": ("platform", True, False),
    "keda": ("platform", True, False),
    "infra": ("infra", False, False),
    "dify": ("dify", True, True),
}


def test_these_are_all_applications(delivery: Cluster) -> None:
    assert {item["metadata"]["name"] for item in delivery.all("Application")} == set(APPLICATIONS)


@pytest.mark.parametrize("application", APPLICATIONS)
def test_an_application_is_synced_for_ever(application: str, delivery: Cluster, name: str, tree: Path) -> None:
    project, prune, finalizer = APPLICATIONS[application]
    item = delivery.get("Application", application)
    spec = item["spec"]
    policy = spec["syncPolicy"]
    assert spec["project"] == project
    assert policy["automated"] == {"prune": prune, "selfHeal": True}
    assert policy["retry"]["limit"] == -1
    assert policy["retry"]["refresh"] is True
    assert set(policy["syncOptions"]) <= OPTIONS
    assert {"ServerSideApply=true", "CreateNamespace=false", "ApplyOutOfSyncOnly=true"} <= set(policy["syncOptions"])
    assert ("PruneLast=true" in policy["syncOptions"]) == prune
    assert ("finalizers" in item["metadata"]) == finalizer
    assert item["metadata"]["annotations"]["argocd.argoproj.io/compare-options"] == "ServerSideDiff=true"
    if application in FOLDERS:
        assert spec["source"]["path"] == f"{FOLDERS[application]}/{name}"
        assert (tree / spec["source"]["path"] / "kustomization.yaml").is_file()
        assert spec["source"]["targetRevision"] == "refs/heads/main"


def test_children_follow_the_input_s_revision_and_the_root_the_branch(tmp_path: Path) -> None:
    window = "{kind: allow, schedule: 0 9 * * 1-5, duration: 8h}"
    text = f"{{revision: refs/tags/v2.0.0, manual: [infra], syncWindows: [{window}]}}"
    platform = "repository: git@github.com:acme/dify.git\ncontact: a@acme.example\nbranch: live\n"
    made = argocd(make(tmp_path, platform, prod=environment(argocd=text)))
    source = {item["metadata"]["name"]: item["spec"]["source"] for item in made.all("Application")}
    assert source["root"]["targetRevision"] == "refs/heads/live"
    assert source["infra"]["targetRevision"] == source["dify"]["targetRevision"] == "refs/tags/v2.0.0"
    assert "automated" not in made.get("Application", "infra")["spec"]["syncPolicy"]
    assert "automated" in made.get("Application", "dify")["spec"]["syncPolicy"]
    (shown,) = made.get("AppProject", "infra")["spec"]["syncWindows"]
    assert shown["kind"] == "allow"
    assert shown["manualSync"] is True
    assert "syncWindows" not in made.get("AppProject", "platform")["spec"]


def test_production_has_a_window_and_two_of_everything(tree: Path) -> None:
    dev, prod = argocd(tree, "dev"), argocd(tree, "prod")
    assert "syncWindows" not in dev.get("AppProject", "dify")["spec"]
    assert prod.get("AppProject", "dify")["spec"]["syncWindows"][0]["kind"] == "deny"
    paths = [one.get("Application", "argocd")["spec"]["source"]["path"] for one in (dev, prod)]
    assert paths == [ARGOCD.path, ARGOCD.path_ha]
    values = prod.get("Application", "external-secrets")["spec"]["source"]["helm"]["valuesObject"]
    assert values["replicaCount"] == 2
    assert "redis.server" in prod.get("ConfigMap", "argocd-cmd-params-cm")["data"]


def test_every_kind_is_installed_by_somebody(tree: Path, name: str) -> None:
    for above in FOLDERS.values():
        for item in build(tree, f"{above}/{name}"):
            version = item["apiVersion"].rpartition("/")[2]
            assert installer(group(item), version), f"nobody installs {item['apiVersion']} {item['kind']}"


def test_what_config_connector_leaves_out_is_installed_by_bootstrap(tree: Path, name: str) -> None:
    script = (tree / f"bootstrap/{name}/bootstrap.sh").read_text(encoding="utf-8")
    alpha = {
        (group(item), item["kind"])
        for item in build(tree, f"config-connector/{name}")
        if item["apiVersion"].endswith("cnrm.cloud.google.com/v1alpha1")
    }
    assert {one for one, _ in alpha} == set(ALPHA_GROUPS)
    for one, kind in alpha:
        assert f"v{CONFIG_CONNECTOR_VERSION}/config/crds/resources/" in script
        assert f"_{kind.lower()}s.{one}.yaml" in script
    before = script.index("step 'Config Connector 1"), script.index("step 'The first Application'")
    assert before[0] < before[1]


def test_nobody_installs_what_nobody_knows() -> None:
    assert installer("acme.example", "v1") == ""
    assert installer("sql.cnrm.cloud.google.com", "v1alpha1") == ""
    assert installer("snapshot.storage.k8s.io", "v1") == "GKE"
    assert installer("networking.k8s.io", "v1") == installer("", "v1") == "Kubernetes"


def test_what_bootstrap_applies_is_what_argo_cd_needs_to_find_the_rest(delivery: Cluster) -> None:
    label = "dify-gitops.dev/bootstrap"
    chosen = {
        (item["kind"], item["metadata"]["name"])
        for item in delivery.objects
        if item["metadata"].get("labels", {}).get(label) == "true"
    }
    assert chosen == {
        *(("Namespace", name) for name in ("argocd", "external-secrets", "keda")),
        *(("ConfigMap", f"argocd-{name}") for name in ("cm", "cmd-params-cm", "rbac-cm", "notifications-cm")),
        ("AppProject", "platform"),
        ("Application", "root"),
    }
