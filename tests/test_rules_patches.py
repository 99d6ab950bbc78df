"""Patches and images in custom/ that match nothing, which kustomize passes over without a word."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from repo import build, make

from dify_gitops import check
from dify_gitops.rules.patches import silent_patches
from dify_gitops.toolchain import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
# With a target its own kind and name do not count.
OPERATION = "  patch: '{apiVersion: v1, kind: X, metadata: {name: x, annotations: {acme.example/note: x}}}'\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("patches"))


def silent(root: Path, text: str) -> list[str]:
    """Messages about a custom/kustomization.yaml that kustomize builds."""
    (root / "overlays/prod/custom/kustomization.yaml").write_text(HEAD + text, encoding="utf-8")
    found = silent_patches(root, "overlays/prod", build(root, "overlays/prod"))
    assert {finding.rule for finding in found} <= {"patch-hits-nothing"}
    return [f"{finding.field}: {finding.message}" for finding in found]


HITS = [
    "{kind: Deployment, name: api}",
    "{kind: Deployment, name: a.*}",
    "{group: apps, version: v1, kind: Deployment, name: api|web, namespace: dify}",
    "{kind: ConfigMap, name: dify-common}",
    "{labelSelector: app.kubernetes.io/name=api}",
    "{kind: Deployment, labelSelector: 'app.kubernetes.io/name in (api, web),!nothing'}",
    "{kind: Service, annotationSelector: 'cloud.google.com/neg'}",
    "{kind: Service, labelSelector: 'app.kubernetes.io/name notin (api),app.kubernetes.io/name!=web'}",
]
MISSES = [
    "{kind: Deployment, name: ap}",
    "{kind: Deploymnt, name: api}",
    "{group: batch, kind: Deployment, name: api}",
    "{version: v2, kind: Deployment, name: api}",
    "{kind: Deployment, name: api, namespace: dify-sandbox}",
    "{kind: Deployment, labelSelector: app.kubernetes.io/name=apj}",
    "{kind: Deployment, labelSelector: '!app.kubernetes.io/name'}",
    "{kind: Deployment, labelSelector: 'app.kubernetes.io/name in (apj)'}",
    "{kind: Deployment, annotationSelector: cloud.google.com/neg}",
]


@pytest.mark.parametrize("target", HITS)
def test_a_patch_that_changes_something_is_fine(root: Path, target: str) -> None:
    assert silent(root, f"patches:\n- target: {target}\n{OPERATION}") == []
    assert "acme.example/note" in str(build(root, "overlays/prod")), "and kustomize agrees"


@pytest.mark.parametrize("target", MISSES)
def test_a_patch_that_changes_nothing_is_found(root: Path, target: str) -> None:
    (message,) = silent(root, f"patches:\n- target: {target}\n{OPERATION}")
    assert message.startswith("patches[0].target: ")
    assert message.endswith(" matches no object")
    assert "acme.example/note" not in str(build(root, "overlays/prod")), "and kustomize agrees"


def test_a_name_with_the_suffix_of_a_generated_config_map_means_nothing(root: Path) -> None:
    (name,) = [
        item["metadata"]["name"]
        for item in build(root, "overlays/dev")
        if item["kind"] == "ConfigMap" and item["metadata"]["name"].startswith("dify-common-")
    ]
    assert silent(root, f"patches:\n- target: {{kind: ConfigMap, name: {name}}}\n{OPERATION}") != []
    assert "acme.example/note" not in str(build(root, "overlays/prod")), "and kustomize agrees"


def test_images_and_replicas(root: Path) -> None:
    assert silent(root, "images: [{name: langgenius/dify-web, newTag: '2.0'}]\n") == []
    assert silent(root, "images: [{name: langgenius/dify-web, newName: acme.example/web}]\n") == []
    assert silent(root, "replicas: [{name: ssrf-proxy, count: 3}]\n") == []
    assert silent(root, "images: [{name: langgenius/dify-wep, newTag: '2.0'}]\n") == [
        "images[0].name: no container uses the image langgenius/dify-wep"
    ]


def test_a_deleted_object_was_there(root: Path) -> None:
    patch = "patches:\n- target: {kind: PodMonitoring, name: weaviate}\n  patch: |\n    $patch: delete\n"
    patch += "    apiVersion: monitoring.googleapis.com/v1\n    kind: PodMonitoring\n    metadata: {name: weaviate}\n"
    assert silent(root, patch) == []


def test_kustomizations_below_custom_count(root: Path) -> None:
    below = root / "overlays/prod/custom/more"
    below.mkdir()
    (below / "kustomization.yaml").write_text(
        f"{HEAD}patches:\n- target: {{kind: Deployment, name: apj}}\n{OPERATION}", encoding="utf-8"
    )
    assert len(silent(root, "components: [more]\n")) == 1
    assert silent(root, "resources: []\n") == [], "what is not listed does not count"


def test_check_tells_it_with_the_nearest_name(tmp_path: Path) -> None:
    shutil.copy(ROOT / "README.md", tmp_path)
    root = make(tmp_path)
    (root / "overlays/dev/custom/kustomization.yaml").write_text(
        f"{HEAD}patches:\n- target: {{kind: Deployment, name: plugin-daemn}}\n{OPERATION}", encoding="utf-8"
    )
    (told,) = [finding for finding in check.findings(root) if finding.rule == "patch-hits-nothing"]
    assert told.where == "overlays/dev/custom/kustomization.yaml"
    assert told.message == "kind: Deployment name: plugin-daemn matches no object"
    assert told.hint == "did you mean plugin-daemon?"
