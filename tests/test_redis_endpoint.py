"""The shipped script that brings Redis' address and password to the pods, and the objects around it."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING, Any

import pytest
from kube_api import Api, serving
from repo import Cluster, build, environment, make

from dify_gitops import names
from dify_gitops.catalogue.secrets import INVENTORY, REDIS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

INSTANCE = "/apis/redis.cnrm.cloud.google.com/v1beta1/namespaces/dify-infra/redisinstances/dify-redis-a"
SECRET = "/api/v1/namespaces/dify/secrets/dify-redis"  # noqa: S105 - a path
PASSWORD = "p/a+s s:w@rd"  # noqa: S105 - made up; every character that a URL would misread
READY = {
    "conditions": [{"type": "Ready", "status": "True", "reason": "UpToDate"}],
    "host": "10.45.12.3",
    "port": 6378,
    "observedState": {"authString": PASSWORD},
    "serverCaCerts": [{"cert": "-----A-----\n"}, {"cert": "-----B-----"}],
}
VALUES = {
    "host": "10.45.12.3",
    "port": "6378",
    "address": "10.45.12.3:6378",
    "password": PASSWORD,
    "ca.crt": "-----A-----\n-----B-----\n",
    "broker-url": "redis://:p%2Fa%2Bs%20s%3Aw%40rd@127.0.0.1:6379/1",
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cluster, Cluster, Cluster]:
    """(workloads, Google Cloud, Argo CD) of an environment with ``redis.endpoint: job``."""
    root = make(tmp_path_factory.mktemp("job"), prod=environment(redis="{endpoint: job}"))
    folders = ("overlays/prod", "config-connector/prod", "argocd/prod")
    workloads, infra, argocd = (Cluster(build(root, folder)) for folder in folders)
    return workloads, infra, argocd


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as server:
        server.objects = {INSTANCE: {"status": copy.deepcopy(READY)}, SECRET: {"metadata": {"name": REDIS}}}
        yield server


@pytest.fixture
def settings(rendered: tuple[Cluster, Cluster, Cluster]) -> dict[str, str]:
    """What the Job gives to the script; the places are those of the test."""
    job = rendered[0].environment("Job", names.REDIS_ENDPOINT)
    return {key: value for key, value in job.items() if key != "API_ACCESS"} | {"TIMEOUT_SECONDS": "0"}


def bring(api: Api, settings: dict[str, str], **changes: str) -> CompletedProcess[str]:
    done = api.run("redis-endpoint.py", **(settings | changes))
    said = done.stdout + done.stderr
    for hidden in (PASSWORD, VALUES["broker-url"], "-----A", base64.b64encode(PASSWORD.encode()).decode()):
        assert hidden not in said
    return done


def held(api: Api) -> dict[str, str]:
    data = api.objects[SECRET].get("data", {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_the_secret_gets_every_key_of_the_inventory(api: Api, settings: dict[str, str]) -> None:
    done = bring(api, settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert held(api) == VALUES
    assert held(api).keys() == {entry.key for entry in INVENTORY if entry.secret == REDIS}
    assert len(api.objects[SECRET]["metadata"]["annotations"][names.DATA_HASH]) == 64


def test_a_second_run_changes_nothing(api: Api, settings: dict[str, str]) -> None:
    bring(api, settings)
    done = bring(api, settings)
    assert (done.returncode, done.stdout) == (0, "the Secret is up to date\n")
    assert len(api.patches) == 1


def test_a_change_is_one_patch_with_another_hash(api: Api, settings: dict[str, str]) -> None:
    bring(api, settings)
    before = api.objects[SECRET]["metadata"]["annotations"][names.DATA_HASH]
    api.objects[SECRET]["data"]["stray"] = "eA=="
    api.objects[INSTANCE]["status"]["host"] = "10.45.12.9"
    done = bring(api, settings)
    assert done.stdout == "the Secret is written; changed: address, host, stray\n"
    assert held(api) == VALUES | {"host": "10.45.12.9", "address": "10.45.12.9:6378"}
    assert len(api.patches) == 2
    assert api.objects[SECRET]["metadata"]["annotations"][names.DATA_HASH] != before


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, "no condition yet"),
        ({"conditions": [{"type": "Ready", "status": "False", "reason": "Updating"}]}, "not ready: Updating"),
        ({"observedState": {}}, "lacks observedState.authString"),
        ({"serverCaCerts": []}, "lacks serverCaCerts[].cert"),
        ({"serverCaCerts": [{"cert": "-----A-----"}, {}]}, "lacks serverCaCerts[].cert"),
        ({"host": "", "port": None}, "lacks host, port"),
    ],
)
def test_an_unfinished_instance_leaves_the_secret_alone(
    api: Api, settings: dict[str, str], status: dict[str, Any], reason: str
) -> None:
    api.objects[INSTANCE]["status"] = READY | status if status else {}
    done = bring(api, settings)
    assert done.returncode == 1
    assert reason in done.stderr
    assert api.patches == []


def test_it_waits_for_the_right_and_the_instance(api: Api, settings: dict[str, str]) -> None:
    api.refused = {INSTANCE: 403}
    done = bring(api, settings, TIMEOUT_SECONDS="1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"redis-endpoint: gave up after 1 s: GET {INSTANCE}: status 403: ")
    assert len(api.asked) > 1
    assert done.stdout.count("waiting: ") == 1


def test_a_refused_patch_is_a_failure_without_a_value(api: Api, settings: dict[str, str]) -> None:
    api.objects[SECRET]["data"] = {}
    api.refused = {SECRET: 422}
    done = bring(api, settings)
    assert done.returncode == 1
    assert done.stderr == f"redis-endpoint: GET {SECRET}: status 422: Reason422\n"


def test_an_unknown_certificate_is_a_failure(api: Api, settings: dict[str, str], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with serving(other):
        api.access = other
        done = bring(api, settings)
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert api.asked == []


def test_the_secret_has_one_writer(rendered: tuple[Cluster, Cluster, Cluster]) -> None:
    workloads, infra, argocd = rendered
    assert REDIS not in {one["spec"].get("target", {}).get("name") for one in workloads.all("ExternalSecret")}
    assert infra.all("ClusterSecretStore") == []
    assert argocd.all("ClusterRole") == []
    secret = workloads.get("Secret", REDIS)
    assert not {"data", "stringData"} & secret.keys()


def test_the_script_comes_between_its_configuration_and_the_pods(rendered: tuple[Cluster, Cluster, Cluster]) -> None:
    workloads = rendered[0]

    def wave(one: dict[str, Any]) -> int:
        return int(one["metadata"].get("annotations", {}).get(names.SYNC_WAVE, "0"))

    job = workloads.get("Job", names.REDIS_ENDPOINT)
    assert job["metadata"]["annotations"][names.HOOK] == "Sync"
    before = [workloads.get("ServiceAccount", names.REDIS_ENDPOINT), workloads.get("Secret", REDIS)]
    assert max(map(wave, before)) < wave(job) < min(map(wave, workloads.all("Deployment")))


def test_the_rights_are_two_names(rendered: tuple[Cluster, Cluster, Cluster]) -> None:
    argocd = rendered[2]
    rights = {
        (role["metadata"]["namespace"], resource, name): rule["verbs"]
        for role in argocd.all("Role")
        if role["metadata"]["name"] == names.REDIS_ENDPOINT
        for rule in role["rules"]
        for resource in rule["resources"]
        for name in rule["resourceNames"]
    }
    assert rights == {
        (names.INFRA, "redisinstances", "dify-redis-a"): ["get"],
        (names.DIFY, "secrets", REDIS): ["get", "patch"],
    }
