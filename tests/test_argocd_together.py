"""argocd/<env> beside what is left of Argo CD's own manifests: one owner each, and everything finds the other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from repo import Cluster, Object, build, environment, make

from argocd import manifests
from dify_gitops.k8s.objects import Identity, identity
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.toolchain import tool

FOLDERS = {"root": "argocd", "infra": "config-connector", "dify": "overlays"}
LOGIN = "issuer: 'https://login.acme.example', clientId: argo, platform: [sre, 'platform:admins'], viewers: [everybody]"
OPTIONS = (
    f"{{repositoryToken: acme-git, slack: {{channel: alerts, token: acme-slack}},"
    f" oidc: {{{LOGIN}, clientSecret: acme-oidc}}}}"
)


class Estate(NamedTuple):
    """What each Application of an environment renders to, Argo CD's own from its pinned manifests."""

    parts: dict[str, Cluster]

    def data(self, name: str) -> dict[str, str]:
        return dict(self.parts["root"].get("ConfigMap", name, "argocd").get("data", {}))


def upstream(application: Object, scratch: Path) -> Cluster:
    source = application["spec"]["source"]
    (scratch / "manifests").symlink_to(manifests(), target_is_directory=True)
    kustomization = {"resources": [source["path"]], "namespace": "argocd", **source["kustomize"]}
    (scratch / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    done = run([tool("kustomize"), "build", "--load-restrictor", "LoadRestrictionsNone", scratch])
    return Cluster(read(done.stdout))


@pytest.fixture(scope="module", params=["dev", "prod", "options"])
def estate(request: pytest.FixtureRequest, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Estate:
    root, name = tree, request.param
    if name == "options":
        root, name = make(tmp_path_factory.mktemp("options"), prod=environment(argocd=OPTIONS)), "prod"
    parts = {part: Cluster(build(root, f"{folder}/{name}")) for part, folder in FOLDERS.items()}
    application = parts["root"].get("Application", "argocd", "argocd")
    return Estate({**parts, "argocd": upstream(application, tmp_path_factory.mktemp("argocd"))})


def test_no_object_has_two_owners(estate: Estate) -> None:
    owned = {part: {identity(one) for one in cluster.objects} for part, cluster in estate.parts.items()}
    for part, cluster in estate.parts.items():
        assert len(owned[part]) == len(cluster.objects)
        for one in cluster.all("ExternalSecret"):  # it makes a Secret, which nobody else may
            space, name = one["metadata"]["namespace"], one["spec"]["target"]["name"]
            owned[part].add(Identity("", "Secret", space, name))
    assert [both for one, two in combinations(owned, 2) for both in owned[one] & owned[two]] == []


def references(estate: Estate) -> list[Object]:
    """Every key of a ConfigMap that a program of Argo CD reads as a variable."""
    return [
        entry["valueFrom"]["configMapKeyRef"]
        for _, pod in estate.parts["argocd"].pods()
        for container in (*pod["containers"], *pod.get("initContainers", []))
        for entry in container.get("env", [])
        if "configMapKeyRef" in entry.get("valueFrom", {})
    ]


def test_nothing_that_is_left_of_argocd_misses_what_was_taken_out(estate: Estate) -> None:
    argocd, root = estate.parts["argocd"], estate.parts["root"]
    accounts = {one["metadata"]["name"] for one in argocd.all("ServiceAccount")}
    assert {pod.get("serviceAccountName", "default") for _, pod in argocd.pods()} - {"default"} <= accounts
    settings = {one["metadata"]["name"] for one in (*argocd.all("ConfigMap"), *root.all("ConfigMap"))}
    assert {one["name"] for one in references(estate)} <= settings


def test_each_flag_is_read_by_a_program(estate: Estate) -> None:
    known = {one["key"] for one in references(estate) if one["name"] == "argocd-cmd-params-cm"}
    assert set(estate.data("argocd-cmd-params-cm")) <= known


def test_programs_find_redis(estate: Estate) -> None:
    address = estate.data("argocd-cmd-params-cm").get("redis.server", "argocd-redis:6379")
    service, _, port = address.partition(":")
    ports = [one["port"] for one in estate.parts["argocd"].get("Service", service)["spec"]["ports"]]
    assert int(port) in ports


@pytest.mark.parametrize(
    ("kind", "name"), [("StatefulSet", "argocd-application-controller"), ("Deployment", "argocd-repo-server")]
)
def test_the_hungry_are_sized_and_stay_what_they_are(estate: Estate, kind: str, name: str) -> None:
    container = estate.parts["argocd"].container(kind, name, name)
    assert {"cpu", "memory"} == set(container["resources"]["requests"]) == set(container["resources"]["limits"])
    assert "argocd" in container["image"], "a patch merges, it does not replace"


def wave(item: Object) -> int:
    return int(item["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def test_nothing_that_root_waits_for_needs_what_comes_later(estate: Estate) -> None:
    objects = estate.parts["root"].objects
    last = max(map(wave, objects))
    late = [one for one in objects if one["kind"] == "Application" or "external-secrets.io" in one["apiVersion"]]
    assert {wave(one) for one in late} == {last}
    own = {one["metadata"]["name"]: wave(one) for one in objects if one["kind"] == "Namespace"}
    for one in objects:
        space = one["metadata"].get("namespace")
        assert not space or own.get(space, last - 1) < wave(one), "another Application's namespace: in the last wave"
    # These kinds are there when root begins: of Kubernetes, or bootstrap's.
    awaited = {one["apiVersion"].partition("/")[0] for one in objects if wave(one) < last}
    assert awaited == {"v1", "argoproj.io", "rbac.authorization.k8s.io"}


def policy(estate: Estate) -> list[list[str]]:
    lines = estate.data("argocd-rbac-cm")["policy.csv"].splitlines()
    return [[word.strip() for word in line.split(",")] for line in lines]


def test_people_are_who_the_input_says(estate: Estate, request: pytest.FixtureRequest) -> None:
    groups = [line[1:] for line in policy(estate) if line[0] == "g"]
    general = estate.data("argocd-cm")
    if request.node.callspec.params["estate"] != "options":
        assert (groups, general["admin.enabled"], "oidc.config" in general) == ([], "true", False)
        return
    assert general["admin.enabled"] == "false"
    assert groups == [
        ["sre", "role:platform"],
        ["platform:admins", "role:platform"],
        ["everybody", "role:readonly"],
    ]


def test_nobody_changes_an_application_by_hand(estate: Estate) -> None:
    assert estate.data("argocd-rbac-cm")["policy.default"] == ""
    assert {line[3] for line in policy(estate) if line[0] == "p"} == {"get", "sync", "action/*"}


def login(tmp_path: Path, oidc: str) -> Any:
    root = make(tmp_path, prod=environment(argocd=f"{{oidc: {{{oidc}}}}}"))
    return yaml.safe_load(Cluster(build(root, "argocd/prod")).get("ConfigMap", "argocd-cm")["data"]["oidc.config"])


def test_a_client_without_a_secret_uses_pkce(tmp_path: Path) -> None:
    assert login(tmp_path, LOGIN)["enablePKCEAuthentication"] is True
    assert "clientSecret" not in login(tmp_path, LOGIN)
    assert "enablePKCEAuthentication" not in login(tmp_path, f"{LOGIN}, clientSecret: acme-oidc")


def test_every_message_that_is_subscribed_to_can_be_sent(estate: Estate) -> None:
    data = estate.data("argocd-notifications-cm")
    wanted = {one for each in yaml.safe_load(data.get("subscriptions", "[]")) for one in each["triggers"]}
    assert {f"trigger.{one}" for one in wanted} == {key for key in data if key.startswith("trigger.")}
    sent = {one for name in wanted for rule in yaml.safe_load(data[f"trigger.{name}"]) for one in rule["send"]}
    assert {f"template.{one}" for one in sent} == {key for key in data if key.startswith("template.")}


# ExternalSecret: its key, name in Secret Manager, type of the Secret, further data
NAMED = {
    "argocd-oidc": ("clientSecret", "acme-oidc", None, None),
    "argocd-notifications-secret": ("slack-token", "acme-slack", None, None),
    "git-repository": (
        "password",
        "acme-git",
        "repository",
        {
            "type": "git",
            "url": "https://github.com/acme/dify-platform.git",
            "username": "git",
            "password": "{{ .password }}",
        },
    ),
}


@pytest.mark.parametrize("estate", ["options"], indirect=True)
@pytest.mark.parametrize("name", NAMED)
def test_argocd_reads_what_external_secrets_makes(estate: Estate, name: str) -> None:
    key, stored, kind, data = NAMED[name]
    spec = estate.parts["root"].get("ExternalSecret", name, "argocd")["spec"]
    assert [(one["secretKey"], one["remoteRef"]["key"]) for one in spec["data"]] == [(key, stored)]
    template = spec["target"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd", "Argo CD reads no other"
    assert template["metadata"]["labels"].get("argocd.argoproj.io/secret-type") == kind
    assert template.get("data") == data
