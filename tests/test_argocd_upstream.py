"""Argo CD's own manifests as we patch them, beside our objects: one owner each, and everything finds the other."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml
from repo import Cluster, Object, build, environment, make

from argocd import manifests
from dify_gitops.argocd.upstream import owned
from dify_gitops.catalogue.controllers import ARGOCD, SSH_HOSTS
from dify_gitops.input.load import load_repository
from dify_gitops.k8s.objects import Identity, identity
from dify_gitops.process import run
from dify_gitops.rendered import read
from dify_gitops.toolchain import tool

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

FOLDERS = {"root": "argocd", "infra": "config-connector", "dify": "overlays"}
OPTIONS = "{repositoryToken: acme-git, slack: {channel: alerts, token: acme-slack}}"


class Estate(NamedTuple):
    """What each Application of an environment renders to, Argo CD's own from its pinned manifests."""

    parts: dict[str, Cluster]
    environment: Environment

    def data(self, name: str) -> dict[str, str]:
        return dict(self.parts["root"].get("ConfigMap", name, "argocd").get("data") or {})


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
    parts["argocd"] = upstream(application, tmp_path_factory.mktemp("argocd"))
    return Estate(parts, load_repository(root).environments[name])


def test_no_object_has_two_owners(estate: Estate) -> None:
    owned = {part: {identity(one) for one in cluster.objects} for part, cluster in estate.parts.items()}
    for part, cluster in estate.parts.items():
        assert len(owned[part]) == len(cluster.objects)
        for one in cluster.all("ExternalSecret"):  # it makes a Secret, which nobody else may
            space, name = one["metadata"]["namespace"], one["spec"]["target"]["name"]
            owned[part].add(Identity("", "Secret", space, name))
    assert [both for one, two in combinations(owned, 2) for both in owned[one] & owned[two]] == []


def test_the_pinned_release_consists_of_the_kinds_that_its_project_permits(estate: Estate) -> None:
    objects = [identity(one) for one in estate.parts["argocd"].objects]
    assert {(one.group, one.kind) for one in objects if not one.namespace} == set(ARGOCD.cluster_kinds)
    assert {(one.group, one.kind) for one in objects if one.namespace} == set(ARGOCD.kinds)


def test_the_names_that_upstream_keeps_are_known(estate: Estate) -> None:
    """The rule argocd-owner relies on them."""
    theirs = {(one["kind"], one["metadata"]["name"]) for one in estate.parts["argocd"].objects}
    assert owned(estate.environment) == {one for one in theirs if one[0] in ("ConfigMap", "Secret")}


def test_the_hosts_that_can_be_read_over_ssh_are_known(estate: Estate) -> None:
    """The input refuses all others."""
    hosts = estate.parts["argocd"].get("ConfigMap", "argocd-ssh-known-hosts-cm")["data"]["ssh_known_hosts"]
    lines = [line for line in hosts.splitlines() if not line.startswith("#")]
    assert {line.split()[0].replace("[", "").replace("]", "") for line in lines} == set(SSH_HOSTS)


def test_nothing_is_left_of_the_programs_that_nobody_uses(estate: Estate) -> None:
    left = {one["metadata"]["name"] for one in estate.parts["argocd"].objects}
    assert not [one for one in left if "dex" in one or ("applicationset" in one and "argoproj.io" not in one)]


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
