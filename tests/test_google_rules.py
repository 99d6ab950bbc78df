"""Rules over Google Cloud: silent on what we generate, each constraint heard when its thing is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cluster_fixtures import identity
from google_fixtures import broken_objects, fixtures, good_objects, legitimate, prod
from judge import VALID, judge_all

from dify_gitops.kinds.constraints import KINDS
from dify_gitops.rules import GOOGLE, examine_google
from dify_gitops.rules.google import COMMON_RULES
from dify_gitops.schemas import build_schemas

if TYPE_CHECKING:
    from dify_gitops.errors import Finding

FIXTURES = fixtures()
LEAST = 150  # fixtures that kubeconform lets pass


def found(objects: list[dict[str, Any]], **keys: str) -> list[Finding]:
    return examine_google(objects, "google", prod(**keys))


def test_what_we_generate_has_no_finding() -> None:
    assert [str(finding) for finding in found(good_objects())] == []


@pytest.mark.parametrize(("name", "fixture"), FIXTURES, ids=[name for name, _ in FIXTURES])
def test_a_broken_object_has_exactly_this_finding(name: str, fixture: dict[str, Any]) -> None:
    findings = found(broken_objects(fixture), **fixture.get("input", {}))
    said = {f"{finding.rule}: {finding.object}: {finding.field}: {finding.message}" for finding in findings}
    place = fixture.get("at", fixture.get("target"))
    expected = {f"{fixture['rule']}: {place}: {fixture['says']}", *fixture.get("also", [])}
    assert said == expected, name


@pytest.mark.parametrize("fixture", legitimate(), ids=lambda fixture: fixture["name"])
def test_what_people_may_do_has_no_finding(fixture: dict[str, Any]) -> None:
    assert [str(finding) for finding in found(broken_objects(fixture))] == []


@pytest.mark.parametrize(
    ("target", "path", "value", "hint"),
    [
        (
            "SQLInstance dify-infra/dify-postgres-a",
            "spec.settings.tier",
            "db-n1-standard-2",
            "such as db-custom-2-4096",
        ),
        ("StorageBucket dify-infra/acme-dify-prod-dify", "spec.resourceID", "Acme", "3 to 63 lower-case letters"),
        ("ComputeFirewall dify-infra/dify-deny", "spec.logConfig", None, "set logConfig"),
        ("SQLUser dify-infra/dify-postgres-a-dify", "spec.password", None, "write it out"),
        ("ContainerCluster dify-infra/dify", "spec.maintenancePolicy.recurringWindow", None, "set one of them"),
        (
            "StorageBucket dify-infra/acme-dify-prod-dify",
            "metadata.annotations[cnrm.cloud.google.com/force-destroy]",
            "true",
            "set it to false",
        ),
    ],
)
def test_a_hint_says_what_to_write(target: str, path: str, value: Any, hint: str) -> None:
    key = "set" if value else "unset"
    findings = found(broken_objects({"target": target, key: {path: value} if value else [path]}))
    assert [finding.hint.startswith(hint) for finding in findings] == [True]


def test_kubeconform_lets_them_all_pass(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What its schemas catch already is no merit of ours."""
    changed = []
    known = {identity(item): item for item in good_objects()}
    for name, fixture in FIXTURES:
        for item in broken_objects(fixture):
            if known.get(identity(item)) != item:
                item["metadata"].setdefault("labels", {})["fixture"] = name
                changed.append(item)
    verdicts = judge_all(changed, build_schemas(tmp_path_factory.mktemp("schemas"), "1.35"))
    assert len(verdicts) == len(changed)
    assert [verdict for verdict in verdicts if verdict.status != VALID] == []
    assert len(FIXTURES) >= LEAST


def test_every_constraint_has_a_fixture_that_breaks_it() -> None:
    """By taking each constraint alone: some fixture must make it complain."""
    kinds = {(group, kind) for group, kind in KINDS}
    heard = set()
    for _, fixture in FIXTURES:
        for item in broken_objects(fixture):
            key = (item["apiVersion"].partition(".")[0], item["kind"])
            if key in kinds:
                heard |= {
                    (*key, number)
                    for number, constraint in enumerate((*KINDS[key].constraints, *KINDS[key].own))
                    if any(constraint.complaints(item))
                }
    silent = [
        f"{kind}: {constraint}"
        for (group, kind), facts in KINDS.items()
        for number, constraint in enumerate((*facts.constraints, *facts.own))
        if (group, kind, number) not in heard
    ]
    assert silent == []


def test_every_rule_has_a_fixture_that_breaks_it() -> None:
    """Rules that mean any object are broken in tests/rules too; two of them here, to see that they are asked."""
    common = {rule.id for rule in COMMON_RULES}
    assert {fixture["rule"] for _, fixture in FIXTURES} >= set(GOOGLE) - common - {"google-no-keys"}
    assert {fixture["rule"] for _, fixture in FIXTURES} & common


def test_a_key_is_found_although_its_kind_has_no_schema() -> None:
    """No fixture, as these are for what kubeconform lets pass."""
    key = {
        "apiVersion": "iam.cnrm.cloud.google.com/v1beta1",
        "kind": "IAMServiceAccountKey",
        "metadata": {
            "name": "key",
            "namespace": "dify-infra",
            "annotations": {
                "cnrm.cloud.google.com/project-id": "acme-dify-prod",
                "argocd.argoproj.io/sync-wave": "-5",
            },
        },
        "spec": {"serviceAccountRef": {"name": "dify-api"}},
    }
    assert [finding.rule for finding in found([*good_objects(), key])] == ["google-no-keys"]


def test_every_kind_that_we_generate_has_constraints() -> None:
    kinds = {
        (item["apiVersion"].partition(".")[0], item["kind"])
        for item in good_objects()
        if ".cnrm.cloud.google.com/" in item["apiVersion"] and not item["apiVersion"].startswith("core.")
    }
    assert kinds <= set(KINDS)
