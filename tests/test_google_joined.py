"""Both halves of an environment name each other: silent on what we generate, heard when one half changes alone."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster_fixtures import identity, pick
from google_fixtures import EVERYTHING, FOLDER, change, good_objects, prod
from repo import build, environment, make

from dify_gitops.rules import JOINED, examine_joined

if TYPE_CHECKING:
    from pathlib import Path

    from google_fixtures import Objects

FIXTURES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "joined.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def workloads(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """The overlay of the environment with every option on."""
    return build(make(tmp_path_factory.mktemp("joined"), prod=environment(**EVERYTHING)), "overlays/prod")


def test_what_we_generate_fits_together(workloads: Objects) -> None:
    assert examine_joined(workloads, good_objects(), "prod", prod()) == []


def test_the_other_way_to_redis_fits_together_too(tmp_path: Path) -> None:
    job = {"redis": "{endpoint: job}"}
    workloads = build(make(tmp_path, prod=environment(**EVERYTHING, **job)), "overlays/prod")
    assert examine_joined(workloads, good_objects(**job), "prod", prod(**job)) == []


@pytest.mark.parametrize("fixture", FIXTURES, ids=[f"{one['rule']}-{number}" for number, one in enumerate(FIXTURES)])
def test_one_half_cannot_change_alone(fixture: dict[str, Any], workloads: Objects) -> None:
    halves = {"overlay": copy.deepcopy(workloads), "google": good_objects()}
    (half,) = halves.keys() & fixture.keys()
    for path, value in fixture["set"].items():
        change(pick(halves[half], fixture[half]), path, value)
    findings = examine_joined(halves["overlay"], halves["google"], "prod", prod())
    assert {finding.rule for finding in findings} == {fixture["rule"]}
    said = [f"{finding.object}: {finding.field}: {finding.message}" for finding in findings]
    assert len(said) == len(fixture["says"])
    for expected in fixture["says"]:
        assert any(told.endswith(expected) for told in said), said


def test_every_rule_is_broken_once() -> None:
    assert {fixture["rule"] for fixture in FIXTURES} == set(JOINED)


def test_the_halves_share_no_object(workloads: Objects) -> None:
    assert not {identity(item) for item in workloads} & {identity(item) for item in good_objects()}
