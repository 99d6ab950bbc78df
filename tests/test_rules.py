"""Our own rules: silent on a healthy cluster, each one heard when its thing is broken."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster_fixtures import FOLDER, broken_objects, first_container, good_objects, pick

from dify_gitops import rules
from dify_gitops.catalogue.secrets import INVENTORY
from dify_gitops.input.model import Waiver
from dify_gitops.rules import RULES, WORKLOADS, examine, rules_table, unused_waivers, unwaived

if TYPE_CHECKING:
    from repo import Cluster as Rendered

VERSIONS = ("1.35", "1.11.4")  # of Kubernetes and Dify
BROKEN = sorted((FOLDER / "broken").glob("*.yaml"))
MINE = {"where": "platform.yaml"}


def found(objects: list[dict[str, Any]]) -> list[str]:
    return [str(finding) for finding in examine(objects, "good.yaml", *VERSIONS)]


def test_a_healthy_cluster_has_no_finding() -> None:
    assert found(good_objects()) == []


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_we_generate_has_no_finding(name: str, request: pytest.FixtureRequest) -> None:
    rendered: Rendered = request.getfixturevalue(name)
    assert [str(finding) for finding in examine(rendered.objects, f"overlays/{name}", *VERSIONS)] == []


def test_every_rule_has_a_fixture_that_breaks_it() -> None:
    """Those over Google Cloud: tests/test_google_rules.py."""
    assert {path.stem for path in BROKEN} == set(WORKLOADS)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_cluster_has_exactly_these_findings(path: Path) -> None:
    fixture = yaml.safe_load(path.read_text(encoding="utf-8"))
    findings = examine(broken_objects(fixture), "good.yaml", *VERSIONS)
    assert [str(finding) for finding in findings] == fixture["findings"]
    assert {finding.rule for finding in findings} == {path.stem, *fixture.get("also", {})}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_in_one_line_each_why_and_what_to_do(rule: Any) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    for line in (rule.why, rule.remedy):
        assert 10 < len(line) <= 110
        assert not set("\n|") & set(line), "it also stands in a table"
        assert not line.endswith(".")
    assert f"| `{rule.id}` | {rule.why} | {rule.remedy} |\n" in rules_table()


def test_two_rules_do_not_find_one_thing() -> None:
    """Each id is used once: a second rule of the same id would replace the first in the registry."""
    source = "".join(path.read_text(encoding="utf-8") for path in _modules())
    assert sorted(re.findall(r'\brule\(\n    "([a-z-]+)"', source)) == sorted(RULES)


def _modules() -> list[Path]:
    return sorted(Path(rules.__path__[0]).rglob("*.py"))


# --- waivers ---------------------------------------------------------------------------------------------------


def without_limits() -> list[dict[str, Any]]:
    objects = good_objects()
    del first_container(objects, "Deployment dify/api")["resources"]["limits"]["cpu"]
    return objects


WAIVER = Waiver(rule="limits-set", object="Deployment dify/api", reason="throttling costs more than it saves")


def test_a_waiver_accepts_one_rule_at_one_object() -> None:
    findings = examine(without_limits(), "overlays/dev", *VERSIONS)
    assert [finding.rule for finding in findings] == ["limits-set"]
    assert unwaived(findings, [WAIVER]) == []
    assert unwaived(findings, [Waiver(rule="requests-set", object=WAIVER.object, reason="x")]) == findings
    assert unwaived(findings, [Waiver(rule=WAIVER.rule, object="Deployment dify/web", reason="x")]) == findings


@pytest.mark.parametrize("name", ["extra", "extra-5t8k2hc9fm"])
def test_a_waiver_needs_no_hash_of_a_generated_config_map(name: str) -> None:
    generated = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "extra-5t8k2hc9fm", "namespace": "dify"},
        "data": {"SMTP_PASSWORD": "hunter2"},
    }
    findings = examine([*good_objects(), generated], "overlays/dev", *VERSIONS)
    waiver = Waiver(rule="no-plain-secret", object=f"ConfigMap dify/{name}", reason="an example")
    assert len(findings) == 1
    assert unwaived(findings, [waiver]) == []


def test_a_waiver_that_is_used_in_one_environment_is_used() -> None:
    findings = examine(good_objects(), "overlays/dev", *VERSIONS) + examine(
        without_limits(), "overlays/prod", *VERSIONS
    )
    assert unwaived(findings, [WAIVER]) == []
    assert unused_waivers([WAIVER], findings, **MINE) == []


def test_a_waiver_without_effect_or_reason_or_rule_is_a_finding() -> None:
    waivers = [
        WAIVER,
        Waiver(rule="limits-set", object="Deployment dify/worker-batch", reason="big"),
        Waiver(rule="limit-set", object="Deployment dify/api", reason="typo"),
        Waiver(rule="xyz", object="Deployment dify/api", reason="typo"),
        Waiver(rule="limits-set", object="Deployment dify/api", reason=" \t"),
    ]
    findings = examine(without_limits(), "overlays/dev", *VERSIONS)
    assert "\n".join(map(str, unused_waivers(waivers, findings, **MINE))) == UNUSED


UNUSED = """\
platform.yaml: Deployment dify/api: the waiver of limits-set has no reason [waiver-needed] \
(hint: say why this is acceptable)
platform.yaml: Deployment dify/api: there is no rule limit-set [waiver-needed] (hint: did you mean limits-set?)
platform.yaml: Deployment dify/api: there is no rule xyz [waiver-needed] (hint: docs/rules.md lists them)
platform.yaml: Deployment dify/worker-batch: limits-set finds nothing there in any environment [waiver-needed] \
(hint: remove the waiver)"""


# --- robustness ------------------------------------------------------------------------------------------------


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested lists and mappings."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place for key, value in pairs for place in ((data, key), *_places(value))]


def test_malformed_objects_do_not_stop_the_rules() -> None:
    """What the schema check refuses is seen by the rules too, beside it: any value may have any type."""
    choice = random.Random(5)  # noqa: S311 - the same objects in every run
    wrong: list[Any] = [None, True, -1, 1.5, "", "x", "99999999999999999999", [], [None], {}, {"x": None}, [{}]]
    for _ in range(150):
        objects: list[Any] = good_objects()
        for _ in range(5):
            container, key = choice.choice(_places(objects))
            container[key] = choice.choice(wrong)
        documents = [item for item in objects if isinstance(item, dict)]
        examine(documents, "good.yaml", *VERSIONS)


def test_every_secret_of_the_inventory_may_be_referred_to() -> None:
    for entry in INVENTORY:
        if entry.namespace == "dify-infra":
            continue  # no pod runs there
        workload = "Deployment dify/api" if entry.namespace == "dify" else "Deployment dify-sandbox/sandbox"
        objects = good_objects()
        container = first_container(objects, workload)
        reference = {"secretKeyRef": {"name": entry.secret, "key": entry.key}}
        container.setdefault("env", []).append({"name": "VALUE", "valueFrom": reference})
        assert found(objects) == [], entry


def test_objects_of_other_groups_with_familiar_names_are_not_ours() -> None:
    foreign = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "hello", "namespace": "dify"},
        "spec": {"selector": {"app": "nobody"}},
    }
    assert found([*good_objects(), foreign]) == []


def test_what_every_cluster_has_need_not_be_rendered() -> None:
    objects = good_objects()
    pod = pick(objects, "Deployment dify/api")["spec"]["template"]["spec"]
    pod["priorityClassName"] = "system-cluster-critical"
    pod["volumes"].append({"name": "ca", "configMap": {"name": "kube-root-ca.crt"}})
    pod["containers"][0]["volumeMounts"].append({"name": "ca", "mountPath": "/etc/ca"})
    pick(objects, "PersistentVolumeClaim dify/plugin-daemon")["spec"]["storageClassName"] = "premium-rwo"
    assert found(objects) == []


def test_other_peoples_namespaces_and_services_are_left_alone() -> None:
    empty = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": "empty",
            "annotations": {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"},
        },
    }
    by_hand = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "by-hand",
            "namespace": "dify",
            "labels": pick(good_objects(), "Service dify/api")["metadata"]["labels"],
        },
        "spec": {"ports": [{"port": 80}]},
    }
    assert found([*good_objects(), empty, by_hand]) == []


def test_order_does_not_matter() -> None:
    fixture = yaml.safe_load((FOLDER / "broken" / "queue-consumed-once.yaml").read_text(encoding="utf-8"))
    objects = broken_objects(fixture)
    assert found(objects) == found(objects)
    assert len(found(objects)) == len(found(objects[::-1]))
