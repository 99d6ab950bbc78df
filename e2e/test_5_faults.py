"""Faults: what breaks stays small, is told in words that a person understands, and heals with the next good commit."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dify_gitops.process import run as run_program
from dify_gitops.toolchain import tool
from e2e.argocd import ACCOUNT, CONTROLLER, CONTROLLER_NAME, NAMESPACE
from e2e.rendering import build
from e2e.report import tell, waves
from e2e.repository import Repository
from e2e.waiting import wait
from e2e.workloads import unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster import Cluster
    from e2e.control_plane import Write
    from e2e.kubectl import Object
    from e2e.processes import Run

SECONDS = 120
NOTIFIER = ACCOUNT.format("argocd-notifications-controller")
METRIC = "argocd_app_info"
SYNC, HEALTH = "dify-argocd-sync", "dify-argocd-health"  # the alerts on it
QUIET: dict[str, set[str]] = {SYNC: set(), HEALTH: set()}
SELECTOR = re.compile(rf"(absent\()?{METRIC}\{{([^}}]*)\}}")
LABEL = re.compile(r'(\w+)(!=|=~|!~|=)"([^"]*)"')
MATCHES: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "=~": lambda value, wanted: re.fullmatch(wanted, value) is not None,
    "!~": lambda value, wanted: re.fullmatch(wanted, value) is None,
}


class Story:
    """One story in the cluster of an environment: what a person changes there, and what Argo CD says of it."""

    def __init__(self, cluster: Cluster, repository: Repository) -> None:
        self.cluster, self.repository, self.name = cluster, repository, cluster.environment
        self._before: dict[Path, bytes | None] = {}
        self._failing: list[tuple[str, str, str]] = []
        self._begun = sum(1 for _ in cluster.plane.writes())

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        file = self.repository.work / path
        self._keep(file)
        file.write_text(text, encoding="utf-8")

    def _keep(self, file: Path) -> None:
        self._before.setdefault(file, file.read_bytes() if file.exists() else None)

    def custom(self, folder: str, **content: Any) -> None:
        """Let the component `custom` of a top folder hold this."""
        component = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component", **content}
        self.write(f"{folder}/{self.name}/custom/kustomization.yaml", yaml.safe_dump(component))

    def settings(self, **values: Any) -> None:
        """Set keys of the environment's input, and generate."""
        self._keep(self.repository.work / "environments" / f"{self.name}.yaml")
        self.repository.change(self.name, **values)

    def commit(self, message: str) -> str:
        """Publish, and have Argo CD look."""
        revision = self.repository.publish(message)
        self.cluster.argocd.refresh()
        return revision

    def undo(self) -> None:
        """Bring the files back as they were before the story, and wait until all is Synced and Healthy again."""
        for file, content in self._before.items():
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(content)
        self._before.clear()
        self.repository.generate()
        self.cluster.converge(self.repository.publish("undone"))

    def end(self) -> None:
        """Leave nothing of the story behind, however far it came."""
        while self._failing:
            self.cluster.kwok.mend(*self._failing.pop())
        if self._before:
            self.undo()

    def fail(self, one: tuple[str, str, str], message: str, reason: str) -> None:
        """Let an object of Config Connector come to this state instead of becoming ready, until `mend`."""
        self._failing.append(one)
        self.cluster.kwok.fail(*one, message, reason)

    def mend(self) -> None:
        """Let it become ready."""
        self.cluster.kwok.mend(*self._failing.pop())

    def only(self, kind: str) -> tuple[str, str, str]:
        """Return kind, name and namespace of the only object of a kind in config-connector/, replicas aside."""
        rendered = build(self.repository.work / "config-connector" / self.name)
        (found,) = (
            one["metadata"] for one in rendered if one["kind"] == kind and "masterInstanceRef" not in one["spec"]
        )
        return kind, found["name"], found["namespace"]

    def spec(self, one: tuple[str, str, str]) -> Any:
        """Return what the cluster has of an object of config-connector/."""
        return self.cluster.kubectl.get(*one)["spec"]

    def until(self, application: str, what: str, good: Callable[[Any], bool]) -> Object:
        """Wait until an Application's status is good; returns the Application."""
        found: Object = {}

        def missing() -> str:
            self.cluster.attend()
            found.update(self.cluster.argocd.application(application))
            return "" if good(found["status"]) else _brief(found["status"])

        wait(f"{self.name}: {application} {what}", missing, SECONDS)
        return found

    def pods(self) -> dict[str, str]:
        """Return the pods of Dify, uid by name, without those of Jobs, which come and go."""
        pods = [one["metadata"] for one in self.cluster.kubectl.list("pods")]
        return {one["name"]: one["uid"] for one in pods if one["ownerReferences"][0]["kind"] != "Job"}

    def changes(self) -> list[Write]:
        """Return what Argo CD has changed of Dify's workloads since the story began."""
        writes = list(self.cluster.plane.writes())[self._begun :]
        own = [one for one in writes if one.user == CONTROLLER and not one.dry_run]
        return [one for one in own if one.namespace in {"dify", "dify-sandbox"}]

    def alerting(self) -> dict[str, set[str]]:
        """Return which Applications each alert on Argo CD's metrics selects, from what the controller exports now.

        How long it must last until somebody is told is Google's part. So is the label `cluster`: its collector adds it.
        """
        objects = build(self.repository.work / "config-connector" / self.name)
        (cluster,) = (one["metadata"]["name"] for one in objects if one["kind"] == "ContainerCluster")
        series = [{**one, "cluster": cluster} for one in self._series()]
        return {
            one["metadata"]["name"]: {labels["name"] for labels in series if _selects(query, labels)}
            for one in objects
            if one["kind"] == "MonitoringAlertPolicy" and (query := _query(one))
        }

    def _series(self) -> Iterator[dict[str, str]]:
        directly = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with directly.open(f"http://127.0.0.1:{self.cluster.argocd.metrics}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{METRIC}{{") and line.endswith(" 1"):
                    yield {name: value for name, _, value in LABEL.findall(line)}

    def alerts(self, expected: dict[str, set[str]]) -> None:
        """Wait until the alerts select exactly these Applications."""
        wait(f"{self.name}: alerts", lambda: "" if self.alerting() == expected else self.alerting(), SECONDS)


Judge = Callable[[Story, str, str], bool]
"""Whether in a story a trigger of notifications fires for an Application."""


@pytest.fixture
def story(dev: Cluster, repository: Repository) -> Iterator[Story]:
    """Return a story in dev; afterwards repository and cluster are as before."""
    found = Story(dev, repository)
    yield found
    found.end()


@pytest.fixture(scope="module")
def notifications(run: Run) -> Judge:
    """Return Argo CD's own judge of a trigger, for our settings of an environment that tells Slack."""
    repository = Repository(run.folder / "slack")
    for name in repository.environments:
        repository.change(name, argocd={"slack": {"channel": "alerts", "token": "slack-token"}})

    def judge(story: Story, trigger: str, application: str) -> bool:
        settings = build(repository.work / "argocd" / story.name)
        (wanted,) = (one for one in settings if one["metadata"]["name"] == "argocd-notifications-cm")
        config = run.folder / "notifications.yaml"
        config.write_text(yaml.safe_dump(wanted), encoding="utf-8")
        done = run_program(
            [
                *(tool("argocd"), "admin", "notifications", "trigger", "run", trigger, application),
                *("--config-map", config, "--secret", ":empty", "--namespace", NAMESPACE),
                *("--kubeconfig", story.cluster.plane.kubeconfig(NOTIFIER, NAMESPACE)),
                *("--argocd-repo-server", f"127.0.0.1:{story.cluster.argocd.repo_server}"),
                "--argocd-repo-server-plaintext",
            ]
        )
        # It prints a line with the condition, and ends with 0 and no such line where it cannot tell.
        answers = re.findall(r"\s(true|false)$", done.stdout.strip(), re.MULTILINE)
        assert answers, done.stderr
        return "true" in answers

    return judge


def test_an_immutable_field_is_refused_and_other_applications_go_on(story: Story, notifications: Judge) -> None:
    """Argo CD asks the API server while it compares, so nothing is tried: all waves of the Application wait."""
    bucket, pods = story.only("LoggingLogBucket"), story.pods()
    story.settings(logs={"retentionDays": 31})
    change = '[{"op": "replace", "path": "/spec/serviceName", "value": "elsewhere"}]'
    story.custom("overlays", patches=[{"target": {"kind": "StatefulSet", "name": "weaviate"}, "patch": change}])
    revision = story.commit("a StatefulSet gets another Service")
    refused = story.until("dify", "says what is wrong", lambda now: bool(_error(now)))
    assert 'StatefulSet.apps "weaviate" is invalid: spec: Forbidden' in _error(refused["status"])
    waiting = waves(refused)
    # What the environment's own component held is to be pruned: the story's took its place.
    resources = [one for one in refused["status"]["resources"] if not (one.get("hook") or one.get("requiresPruning"))]
    assert sum(map(len, waiting.values())) == len(resources)
    assert "StatefulSet dify/weaviate" in waiting[-2]
    told = tell(story.cluster)
    assert "wave -2 waits" in told
    assert 'StatefulSet.apps "weaviate" is invalid: spec: Forbidden' in told
    story.until("infra", "goes on", lambda now: _done(now, revision))
    assert story.spec(bucket)["retentionDays"] == 31
    story.alerts({SYNC: {"dify"}, HEALTH: set()})
    assert notifications(story, "on-sync-status-unknown", "dify")
    assert story.changes() == []
    story.undo()
    assert waves(story.cluster.argocd.application("dify")) == {}
    assert story.pods() == pods
    story.alerts(QUIET)


def test_a_commit_that_does_not_build_leaves_the_last_good_state_running(story: Story, notifications: Judge) -> None:
    bucket, pods = story.only("LoggingLogBucket"), story.pods()
    story.settings(logs={"retentionDays": 32})
    for folder in ("overlays", "argocd"):
        story.write(f"{folder}/{story.name}/custom/kustomization.yaml", "kind: Component\nresources: [\n")
    revision = story.commit("a bracket is missing in two folders")
    for name, folder in (("dify", "overlays"), ("root", "argocd")):
        error = _error(story.until(name, "says what is wrong", lambda now: bool(_error(now)))["status"])
        assert f"{folder}/{story.name}/custom': invalid Kustomization: yaml: line 2" in error
        assert notifications(story, "on-sync-status-unknown", name)
    story.until("infra", "goes on", lambda now: _done(now, revision))
    assert story.spec(bucket)["retentionDays"] == 32
    story.alerts({SYNC: {"dify", "root"}, HEALTH: set()})
    story.undo()
    assert story.changes() == []
    assert story.pods() == pods
    assert not notifications(story, "on-sync-status-unknown", "dify")
    story.alerts(QUIET)


def test_a_failure_of_google_cloud_is_seen_and_told(story: Story, notifications: Judge) -> None:
    instance = story.only("SQLInstance")
    assert not notifications(story, "on-health-degraded", "infra")
    story.alerts(QUIET)
    story.fail(instance, "Error 400: invalid request", "UpdateFailed")
    story.settings(database={"backups": 8})
    revision = story.commit("more backups than Google Cloud permits")
    for name in ("infra", "root"):
        story.until(name, "is Degraded", lambda now: _done(now, revision, "Degraded"))
    assert story.spec(instance)["settings"]["backupConfiguration"]["backupRetentionSettings"]["retainedBackups"] == 8
    assert "UpdateFailed Error 400: invalid request" in tell(story.cluster)
    assert notifications(story, "on-health-degraded", "infra")
    assert not notifications(story, "on-health-degraded", "dify")
    story.alerts({SYNC: set(), HEALTH: {"infra", "root"}})
    story.mend()
    story.cluster.converge(revision)
    assert not notifications(story, "on-health-degraded", "infra")
    story.alerts(QUIET)


def test_argo_cd_killed_between_two_waves_goes_on_where_it_was(story: Story) -> None:
    pods, bucket = story.pods(), story.only("LoggingLogBucket")
    revision, operation = _between_waves(story, days=33)
    controller = story.cluster.argocd.servers[CONTROLLER_NAME]
    controller.kill()
    story.mend()
    controller.start()
    story.cluster.converge(revision)
    after = story.cluster.argocd.application("infra")["status"]["operationState"]
    assert after["startedAt"] == operation["startedAt"]
    assert story.spec(bucket)["retentionDays"] == 33
    assert story.pods() == pods
    assert story.changes() == []


def test_all_programs_survive_a_restart_of_the_api_server(story: Story) -> None:
    cluster, bucket = story.cluster, story.only("LoggingLogBucket")
    revision, _ = _between_waves(story, days=34)
    cluster.plane.restart_api_server()
    story.mend()
    cluster.converge(revision)
    assert story.spec(bucket)["retentionDays"] == 34
    # Argo CD and kwok were needed until here; a pod comes back through the controller manager and the scheduler.
    before = story.pods()
    cluster.kubectl("delete", "pod", "--namespace=dify-sandbox", "--selector=app.kubernetes.io/name=sandbox")
    wait(f"{story.name}: a new pod", lambda: "it" if story.pods() == before else unavailable(cluster.kubectl), SECONDS)
    assert len(story.pods()) == len(before)
    cluster.plane.check()
    cluster.argocd.check()


def test_a_project_refuses_rights_and_nothing_of_the_commit_is_made(story: Story) -> None:
    meta = {"name": "everything"}
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
    beside = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "namespace": "dify"}}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}
    story.write(f"overlays/{story.name}/custom/role.yaml", yaml.safe_dump_all([role, beside]))
    story.custom("overlays", resources=["role.yaml"])
    story.commit("rights for everything")
    refusal = "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project dify"
    story.until("dify", "is refused", lambda now: refusal in now.get("operationState", {}).get("message", ""))
    assert _names(story.cluster.kubectl.list("clusterroles")).isdisjoint({"everything"})
    assert _names(story.cluster.kubectl.list("configmaps", "dify")).isdisjoint({"everything"})
    story.alerts({SYNC: {"dify"}, HEALTH: set()})
    assert [one for one in story.changes() if one.name == "everything"] == []
    story.undo()


def _between_waves(story: Story, days: int) -> tuple[str, dict[str, Any]]:
    """Bring `infra` into the middle of a sync, where it waits for the database before it changes the bucket of logs."""
    instance, bucket = story.only("SQLInstance"), story.only("LoggingLogBucket")
    story.fail(instance, "Update in progress", "Updating")
    story.settings(logs={"retentionDays": days}, database={"backups": 9})
    revision = story.commit("two waves")
    application = story.until("infra", "waits for a wave", lambda now: _waits_for(now, revision, instance[1]))
    assert waves(application) == {-1: [f"LoggingLogBucket {bucket[2]}/{bucket[1]}"]}
    assert story.spec(bucket)["retentionDays"] != days
    return revision, application["status"]["operationState"]


def _waits_for(status: dict[str, Any], revision: str, name: str) -> bool:
    operation = status.get("operationState", {})
    here = status["sync"]["revision"] == revision == operation.get("syncResult", {}).get("revision")
    waits = operation.get("message", "").startswith("waiting for healthy state of") and name in operation["message"]
    return here and operation["phase"] == "Running" and waits


def _done(status: dict[str, Any], revision: str, health: str = "Healthy") -> bool:
    found = [status["sync"]["revision"], status["sync"]["status"], status["health"]["status"]]
    return found == [revision, "Synced", health]


def _error(status: dict[str, Any]) -> str:
    """Return why an Application could not be compared, where Argo CD says so."""
    said = [one["message"] for one in status.get("conditions", ()) if one["type"] == "ComparisonError"]
    return said[0] if said and status["sync"]["status"] == "Unknown" else ""


def _brief(status: dict[str, Any]) -> str:
    operation = status.get("operationState", {})
    words = [status["sync"]["status"], status["health"]["status"], operation.get("phase"), operation.get("message")]
    return " ".join(map(str, words))


def _query(policy: Object) -> str:
    conditions = (one.get("conditionPrometheusQueryLanguage", {}) for one in policy["spec"]["conditions"])
    return "".join(one["query"] for one in conditions if METRIC in one.get("query", ""))


def _selects(query: str, labels: dict[str, str]) -> bool:
    """Whether one of the query's selectors, but for those of `absent`, selects the series."""
    asked = [LABEL.findall(inside) for absent, inside in SELECTOR.findall(query) if not absent]
    return any(all(MATCHES[how](labels.get(name, ""), wanted) for name, how, wanted in one) for one in asked)


def _names(objects: Iterable[Object]) -> set[str]:
    return {one["metadata"]["name"] for one in objects}
