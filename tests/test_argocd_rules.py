"""Rules over argocd/<env>: silent on what we generate, heard for each thing that breaks delivery."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster_fixtures import pick
from google_fixtures import change, prod
from repo import PLATFORM, build, environment, make

from dify_gitops.k8s.objects import identity
from dify_gitops.rules import ARGOCD, examine_argocd

if TYPE_CHECKING:
    from google_fixtures import Objects

    from dify_gitops.errors import Finding

FIXTURES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "argocd" / "broken.yaml").read_text(encoding="utf-8")
)
PATHS = {"argocd": "argocd/prod", "overlay": "overlays/prod", "google": "config-connector/prod"}
REPOSITORY = yaml.safe_load(PLATFORM)["repository"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Objects]:
    """All that Argo CD syncs in prod, by folder, with a secret for Argo CD itself."""
    root = make(tmp_path_factory.mktemp("delivery"), prod=environment(argocd="{repositoryToken: git-token}"))
    return {path: build(root, path) for path in PATHS.values()}


def examine(folders: dict[str, Objects], given: dict[str, Objects] | None = None) -> list[Finding]:
    """``given`` is what stood in the folders before the test changed it."""
    expected = map(identity, (given or folders)[PATHS["argocd"]])
    return examine_argocd(folders, PATHS["argocd"], prod(), REPOSITORY, expected)


def test_what_we_generate_is_delivered(folders: dict[str, Objects]) -> None:
    assert examine(folders) == []


@pytest.mark.parametrize("fixture", FIXTURES, ids=[f"{one['rule']}-{number}" for number, one in enumerate(FIXTURES)])
def test_each_break_is_found_and_nothing_else(fixture: dict[str, Any], folders: dict[str, Objects]) -> None:
    broken = copy.deepcopy(folders)
    (half,) = PATHS.keys() & fixture.keys()
    item = pick(broken[PATHS[half]], fixture[half])
    if "also" in fixture:
        broken[PATHS[fixture["also"]]].append(item)
    for path, value in fixture.get("set", {}).items():
        change(item, path, value)
    if fixture.get("remove"):
        broken[PATHS[half]].remove(item)
    findings = examine(broken, folders)
    assert {finding.rule for finding in findings} == {fixture["rule"], *fixture.get("besides", [])}
    said = [
        f"{finding.object}: {finding.field}: {finding.message}"
        for finding in findings
        if finding.rule == fixture["rule"]
    ]
    assert len(said) == len(fixture["says"]), said
    for expected in fixture["says"]:
        assert any(told.endswith(expected) for told in said), said


def test_every_rule_is_broken_once() -> None:
    assert set(ARGOCD) <= {fixture["rule"] for fixture in FIXTURES}


def test_two_applications_of_one_folder(folders: dict[str, Objects]) -> None:
    broken = copy.deepcopy(folders)
    twin = copy.deepcopy(pick(broken["argocd/prod"], "Application argocd/dify"))
    twin["metadata"]["name"] = "dify-too"
    broken["argocd/prod"].append(twin)
    rules = {finding.rule for finding in examine(broken)}
    assert {"argocd-source", "argocd-owner"} <= rules


def test_every_option_is_delivered(tmp_path: Path) -> None:
    root = make(tmp_path, prod=environment(redis="{endpoint: job}", argocd="{repositoryToken: git-token}"))
    assert examine({path: build(root, path) for path in PATHS.values()}) == []


def test_malformed_objects_do_not_stop_us(folders: dict[str, Objects]) -> None:
    for wrong in (None, "text", 7, [], [None], {"x": 1}):
        for key in ("spec", "metadata", "data"):
            broken = copy.deepcopy(folders)
            for item in broken["argocd/prod"]:
                if key in item and not (key == "metadata" and not isinstance(wrong, dict)):
                    item[key] = wrong if key != "metadata" else {**item[key], "annotations": wrong}
            examine(broken)


MINE = """\
apiVersion: v1
kind: Namespace
metadata: {name: mine}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: mine, namespace: mine}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: mine, namespace: dify}
"""


def test_what_a_finding_proposes_permits_what_people_add(tmp_path: Path) -> None:
    root = make(tmp_path, prod=environment())
    overlay, projects = (root / above / "prod/custom/kustomization.yaml" for above in ("overlays", "argocd"))
    (overlay.parent / "mine.yaml").write_text(MINE, encoding="utf-8")
    overlay.write_text(overlay.read_text(encoding="utf-8").replace("[]", "[mine.yaml]"), encoding="utf-8")
    found = examine({path: build(root, path) for path in PATHS.values()})
    assert {finding.rule for finding in found} == {"argocd-permitted"}
    assert len(found) == 4, "DaemonSet and its namespace, Role, Namespace"
    start = "add to patches in argocd/prod/custom/kustomization.yaml: "
    patches = "\n".join(finding.hint.removeprefix(start) for finding in found)
    projects.write_text(f"{projects.read_text(encoding='utf-8')}patches:\n{patches}\n", encoding="utf-8")
    assert examine({path: build(root, path) for path in PATHS.values()}) == []
