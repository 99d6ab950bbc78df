"""The shipped restart.py against kube_api.py, which workloads it knows, and what it may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from kube_api import METADATA_ONLY, Api, serving
from repo import Cluster, build, environment, make

from dify_gitops import names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from subprocess import CompletedProcess

API = "/apis/apps/v1/namespaces/dify/deployments/api"
DAEMON = "/apis/apps/v1/namespaces/dify/deployments/plugin-daemon"
STORE = "/apis/apps/v1/namespaces/dify/statefulsets/weaviate"
LIST = """\
# A comment.
Deployment dify/api app mail?
Deployment dify/plugin-daemon app
StatefulSet dify/weaviate store
"""
VALUE = "dmFsdWU="  # what must never reach the script


def secret(name: str) -> str:
    return f"/api/v1/namespaces/dify/secrets/{name}"


def workload() -> dict[str, Any]:
    return {
        "metadata": {"generation": 3, "annotations": {"other": "stays"}},
        "spec": {"replicas": 2, "template": {"metadata": {"labels": {"a": "b"}}}},
        "status": {"observedGeneration": 3, "updatedReplicas": 2},
    }


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as server:
        server.objects = {path: workload() for path in (API, DAEMON, STORE)}
        for name in ("app", "store"):
            change(server, name, "first")
        (tmp_path / "list.txt").write_text(LIST)
        yield server


def change(api: Api, name: str, digest: str) -> None:
    api.objects[secret(name)] = {"metadata": {"annotations": {names.DATA_HASH: digest}}, "data": {"key": VALUE}}


def restart(api: Api) -> CompletedProcess[str]:
    done = api.run(
        "restart.py",
        WORKLOADS=str(api.access / "list.txt"),
        HASH_ANNOTATION=names.DATA_HASH,
        SECRETS_ANNOTATION=names.SECRETS_HASH,
    )
    assert not any(VALUE in text for text in api.sent)
    assert all(accept == METADATA_ONLY for _, path, accept in api.asked if "/secrets/" in path)
    return done


def restarted(api: Api) -> list[str]:
    """Paths of the patches that touch a pod template, since the last question."""
    found = [path for path, patch in api.patches if "spec" in patch]
    api.patches.clear()
    return found


@pytest.fixture
def settled(api: Api) -> Api:
    """After the first run, which restarts nothing."""
    done = restart(api)
    assert (done.returncode, done.stderr) == (0, "")
    assert [path for path, _ in api.patches] == [API, DAEMON, STORE]
    assert restarted(api) == []
    return api


def test_without_a_change_nothing_is_written(settled: Api) -> None:
    done = restart(settled)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert settled.patches == []


def test_a_change_restarts_once_who_reads_it(settled: Api) -> None:
    change(settled, "app", "second")
    assert restart(settled).stdout.splitlines() == [
        "Deployment dify/api: restarted, as one of app, mail? has changed",
        "Deployment dify/plugin-daemon: restarted, as one of app has changed",
    ]
    assert restarted(settled) == [API, DAEMON]
    changed = settled.objects[API]
    assert changed["metadata"]["annotations"] == {
        "other": "stays",
        **changed["spec"]["template"]["metadata"]["annotations"],
    }
    assert changed["spec"]["template"]["metadata"]["labels"] == {"a": "b"}
    assert restart(settled).stdout == ""
    assert settled.patches == []


def test_an_optional_secret_counts_when_it_comes_and_when_it_goes(settled: Api) -> None:
    change(settled, "mail", "first")
    restart(settled)
    assert restarted(settled) == [API]
    del settled.objects[secret("mail")]
    restart(settled)
    assert restarted(settled) == [API]


def test_pods_stay_while_a_secret_that_they_need_is_gone(settled: Api) -> None:
    del settled.objects[secret("store")]
    change(settled, "app", "second")
    done = restart(settled)
    assert done.returncode == 1
    assert done.stderr == "restart: StatefulSet dify/weaviate: Secret store is not there\n"
    assert restarted(settled) == [API, DAEMON]


def test_a_secret_without_hash_is_a_failure_that_names_it(settled: Api) -> None:
    settled.objects[secret("store")]["metadata"] = {}
    done = restart(settled)
    assert done.returncode == 1
    assert done.stderr.startswith("restart: StatefulSet dify/weaviate: Secret store has no annotation ")


@pytest.mark.parametrize(
    "status",
    [{}, {"observedGeneration": 2, "updatedReplicas": 2}, {"observedGeneration": 3, "updatedReplicas": 1}],
)
def test_one_rollout_at_a_time(settled: Api, status: dict[str, Any]) -> None:
    settled.objects[API]["status"] = status
    change(settled, "app", "second")
    done = restart(settled)
    assert done.returncode == 0
    assert "Deployment dify/api: one of app, mail? has changed, but a rollout is not finished" in done.stdout
    assert restarted(settled) == [DAEMON]
    settled.objects[API]["status"] = workload()["status"]
    restart(settled)
    assert restarted(settled) == [API]


def test_new_values_help_a_rollout_that_has_given_up(settled: Api) -> None:
    stuck = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    settled.objects[API]["status"] = {"observedGeneration": 3, "updatedReplicas": 1, "conditions": [stuck]}
    change(settled, "app", "second")
    restart(settled)
    assert API in restarted(settled)


@pytest.mark.parametrize("path", [secret("app"), DAEMON])
def test_a_refusal_is_a_failure_and_the_others_are_looked_after(settled: Api, path: str) -> None:
    settled.refused = {path: 403}
    for name in ("app", "store"):
        change(settled, name, "second")
    done = restart(settled)
    assert done.returncode == 1
    assert f"restart: Deployment dify/plugin-daemon: GET {path}: status 403: no: {path}\n" in done.stderr
    assert STORE in restarted(settled)


POOL = "{pools: {batch: {queues: [rest]}, night: {min: 0, max: 2, queues: [retention, ops_trace]}}}"


@pytest.fixture(scope="module")
def own_pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cluster, Cluster]:
    """(workloads, Argo CD) of an environment with a worker pool of its own."""
    root = make(tmp_path_factory.mktemp("pool"), prod=environment(worker=POOL))
    return Cluster(build(root, "overlays/prod")), Cluster(build(root, "argocd/prod"))


def listed(cluster: Cluster) -> dict[tuple[str, str, str], set[str]]:
    """What the script is told: {(kind, namespace, name): Secrets}."""
    (found,) = [one for one in cluster.all("ConfigMap") if one["metadata"]["name"].startswith("restart-workloads-")]
    lines = [line.split() for line in found["data"]["restart-workloads.txt"].splitlines() if not line.startswith("#")]
    return {(kind, *place.split("/")): set(secrets) for kind, place, *secrets in lines}


def test_every_rendered_reference_is_known(own_pool: tuple[Cluster, Cluster]) -> None:
    workloads = own_pool[0]
    expected: dict[tuple[str, str, str], set[str]] = {}
    for item, pod in workloads.pods():
        text = str(pod)
        place = (item["kind"], item["metadata"]["namespace"], item["metadata"]["name"])
        if item["kind"] in ("Deployment", "StatefulSet") and ("secretKeyRef" in text or "'secret'" in text):
            expected[place] = {
                one["name"]
                for container in [*pod.get("initContainers", []), *pod["containers"]]
                for entry in container.get("env", [])
                if (one := entry.get("valueFrom", {}).get("secretKeyRef"))
            } | {one["secret"]["secretName"] for one in pod.get("volumes", []) if "secret" in one}
    known = {place: {one.rstrip("?") for one in secrets} for place, secrets in listed(workloads).items()}
    assert known.keys() == expected.keys()
    assert ("Deployment", "dify", "worker-night") in known
    for place, secrets in known.items():
        assert secrets - {"dify-variables"} == expected[place]
    assert {"dify-variables?", "dify-smtp?"} <= listed(workloads)["Deployment", "dify", "api"]


def test_the_rights_are_what_the_list_needs(own_pool: tuple[Cluster, Cluster]) -> None:
    workloads, argocd = own_pool
    needed: set[tuple[str, str, str, tuple[str, ...]]] = set()
    for (kind, namespace, name), secrets in listed(workloads).items():
        needed.add((namespace, f"{kind.lower()}s", name, ("get", "patch")))
        needed |= {(namespace, "secrets", one.rstrip("?"), ("get",)) for one in secrets}
    granted = {
        (role["metadata"]["namespace"], resource, name, tuple(rule["verbs"]))
        for role in argocd.all("Role")
        if role["metadata"]["name"] == "restart"
        for rule in role["rules"]
        for resource in rule["resources"]
        for name in rule["resourceNames"]
    }
    assert granted == needed
    bindings = [one for one in argocd.all("RoleBinding") if one["metadata"]["name"] == "restart"]
    account = {"kind": "ServiceAccount", "name": "restart", "namespace": "dify"}
    assert [one["subjects"] for one in bindings] == [[account], [account]]


def test_it_finds_its_settings_and_files(prod: Cluster) -> None:
    variables = prod.environment("CronJob", "restart")
    (pod,) = [pod for item, pod in prod.pods() if item["metadata"]["name"] == "restart"]
    mounts = {one["mountPath"]: one["name"] for one in pod["containers"][0]["volumeMounts"]}
    maps = {one["name"]: one["configMap"]["name"] for one in pod["volumes"] if "configMap" in one}
    folder, _, file = variables["WORKLOADS"].rpartition("/")
    data = {one["metadata"]["name"]: one.get("data", {}) for one in prod.all("ConfigMap")}
    assert file in data[maps[mounts[folder]]]
    assert data[maps[mounts["/scripts"]]].keys() == {"restart.py", "api_server.py"}
    assert variables["HASH_ANNOTATION"] == "reconcile.external-secrets.io/data-hash"
    assert mounts[variables["API_ACCESS"]] == "api-access"
