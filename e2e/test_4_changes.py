"""Level 3, changes: what Argo CD makes of a commit or of a hand edit, on live clusters.

Each story begins with its clusters Synced and Healthy at what is published, and leaves them so.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.names import HOOK
from e2e.argocd import CONTROLLER
from e2e.kubectl import Kubectl, essence, identity
from e2e.rendering import rendered
from e2e.waiting import wait

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from e2e.cluster import Cluster
    from e2e.control_plane import Write
    from e2e.kubectl import Object
    from e2e.repository import Repository

PERSON = "person"
*_, BEFORE, AFTER = RELEASES
MIGRATION = ("jobs.batch", "migration")
DELETION = "cnrm.cloud.google.com/deletion-policy"
# Parts of a Deployment as JSONPath.
IMAGE = "{.spec.template.spec.containers[0].image}"
BY_HAND = "{.spec.template.spec.containers[0].env[?(@.name=='BY_HAND')].value}"
HEAL_SECONDS = 60
FOLLOW_SECONDS = 300


@pytest.fixture
def person(dev: Cluster) -> Kubectl:
    """Return kubectl for somebody who may do everything in dev."""
    return Kubectl(dev.plane.kubeconfig(PERSON), PERSON)


@pytest.fixture(autouse=True)
def as_before(clusters: dict[str, Cluster], repository: Repository) -> Iterator[None]:
    """Publish after each story what was there before it; all clusters follow."""
    kept = repository.work.with_name("kept")
    shutil.copytree(repository.work, kept)
    yield
    shutil.rmtree(repository.work)
    kept.rename(repository.work)
    _follow(repository.publish("as before"), *clusters.values())


def test_a_new_version_in_dev_leaves_prod_alone(dev: Cluster, prod: Cluster, repository: Repository) -> None:
    _upgrades_alone(dev, prod, repository)


def test_a_promotion_to_prod_leaves_dev_alone(dev: Cluster, prod: Cluster, repository: Repository) -> None:
    _upgrades_alone(prod, dev, repository)


def _upgrades_alone(moved: Cluster, other: Cluster, repository: Repository) -> None:
    repository.change(moved.environment, dify=BEFORE)  # where it is newer already
    _follow(repository.publish(f"{moved.environment}: Dify {BEFORE}"), moved, other)
    begun, untouched = _now(), _state(other, repository)
    repository.change(moved.environment, dify=AFTER)
    _follow(repository.publish(f"{moved.environment}: Dify {AFTER}"), moved, other)

    assert _differences(untouched, _state(other, repository)) == {}
    assert {write.resource for write in _by_argocd(other, begun)} <= {"applications.argoproj.io"}

    job = moved.kubectl.get("job", "migration", "dify")
    image = job["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[0]  # it may come from elsewhere
    upgraded = {
        one["metadata"]["name"]: one for one in moved.kubectl.list("deployments", "dify") if image in _versions(one)
    }
    assert {"api", "beat"} < upgraded.keys()
    assert {_versions(one)[image] for one in (job, *upgraded.values())} == {AFTER}
    ended = max(
        write.time
        for write in _since(moved, begun)
        if (write.resource, write.name) == MIGRATION and write.subresource == "status"
    )
    sent = {write.name: write.time for write in _by_argocd(moved, begun) if write.resource == "deployments.apps"}
    assert [name for name in upgraded if sent[name] < ended] == [], "sent before the migration had ended"


def test_a_value_rolls_the_pods_that_use_it_and_no_others(dev: Cluster, repository: Repository) -> None:
    before = _pods(dev)
    repository.change(dev.environment, variables={"dify": {"LOG_LEVEL": "DEBUG"}})
    _follow(repository.publish("Dify logs more"), dev)

    maps = dev.kubectl.list("configmaps", "dify")
    holders = {one["metadata"]["name"] for one in maps if one.get("data", {}).get("LOG_LEVEL") == "DEBUG"}
    after = _pods(dev)
    users = {name for name, pods in after.items() for pod in pods.values() if holders & _maps(pod)}
    assert users
    assert {name for name in before if before[name].keys() == after[name].keys()} == before.keys() - users
    assert {name for name in before if before[name].keys() & after[name].keys()} == before.keys() - users


class Edit(NamedTuple):
    """What a person does to an object by hand, and the part of it that must come back, as a JSONPath."""

    resource: str
    namespace: str
    name: str
    command: tuple[str, ...]
    part: str


def test_hand_edits_are_healed(dev: Cluster, person: Kubectl) -> None:
    api = dev.kubectl.get("deployment", "api", "dify")
    settings = min(_maps(api))
    database = _primary(dev)["metadata"]["name"]
    tier = json.dumps({"spec": {"settings": {"tier": "db-custom-96-524288"}}})
    edits = (
        Edit("deployments.apps", "dify", "api", ("set", "image", "deployment/api", "api=registry.invalid/api"), IMAGE),
        Edit("services", "dify", "api", ("delete", "service/api"), "{.spec.ports}"),
        Edit("configmaps", "dify", settings, ("delete", f"configmap/{settings}"), "{.data}"),
        Edit(
            "sqlinstances.sql.cnrm.cloud.google.com",
            "dify-infra",
            database,
            ("patch", f"sqlinstance/{database}", "--type=merge", f"--patch={tier}"),
            "{.spec.settings.tier}",
        ),
    )
    job = dev.kubectl.get("job", "migration", "dify")["metadata"]["uid"]
    begun, before = _now(), {edit: _part(dev.kubectl, edit) for edit in edits}
    assert all(before.values())
    for edit in edits:
        person(*edit.command, f"--namespace={edit.namespace}")

    wait("healed", lambda: [edit.name for edit in edits if _part(dev.kubectl, edit) != before[edit]], HEAL_SECONDS)
    for edit in edits:
        assert _writers(dev, begun, edit)[:2] == [PERSON, CONTROLLER], edit.name
    _follow(_revision(dev), dev)
    assert dev.kubectl.get("job", "migration", "dify")["metadata"]["uid"] == job, "healing is no reason to migrate"


def test_a_hand_edit_of_what_git_does_not_name_stays(dev: Cluster, person: Kubectl) -> None:
    """Two owners of fields share an object: so autoscalers, restarts and Config Connector write beside Git."""
    added = Edit("deployments.apps", "dify", "web", ("set", "env", "deployment/web", "BY_HAND=yes"), BY_HAND)
    begun = _now()
    person(*added.command, "--namespace=dify")
    dev.argocd.sync("dify")
    _follow(_revision(dev), dev)
    assert _part(dev.kubectl, added) == "yes"
    assert _writers(dev, begun, added) == [PERSON, CONTROLLER], "Argo CD applied it, and said Synced"
    person("set", "env", "deployment/web", "BY_HAND-", "--namespace=dify")


def test_what_leaves_dify_is_pruned_except_what_holds_data(dev: Cluster, repository: Repository) -> None:
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note", "namespace": "dify"}}
    _customize(repository, "overlays", dev, add=note)
    _follow(repository.publish("a note"), dev)
    volume = dev.kubectl.get("pvc", "plugin-daemon", "dify")
    dev.kubectl.get("configmap", "note", "dify")

    begun = _now()
    _customize(repository, "overlays", dev, remove=volume)
    _leaves(dev, repository.publish("no note, no volume"), "dify", {"PersistentVolumeClaim/plugin-daemon"})
    deleted = {(write.resource, write.name) for write in _by_argocd(dev, begun) if write.verb == "delete"}
    hooks = {one["metadata"]["name"] for one in _hooks(dev, repository)}
    assert deleted == {("configmaps", "note"), *(("jobs.batch", name) for name in hooks)}
    assert essence(dev.kubectl.get("pvc", "plugin-daemon", "dify")) == essence(volume)


def test_a_database_that_leaves_git_stays(dev: Cluster, repository: Repository) -> None:
    database = _primary(dev)
    key = f"SQLInstance/{database['metadata']['name']}"
    _customize(repository, "config-connector", dev, remove=database)
    _leaves(dev, repository.publish("no database"), "infra", {key})

    dev.argocd.sync("infra", prune=True)
    assert _skipped(dev) == {key: "ignored (no prune)"}, "not even for a person who asks for it"
    still = _primary(dev)
    assert essence(still) == essence(database)
    assert still["metadata"]["annotations"][DELETION] == "abandon", "nor would Google Cloud's go with it"


def test_a_renamed_database_leaves_the_old_one(dev: Cluster, repository: Repository, person: Kubectl) -> None:
    old = _sql(dev)
    name = _primary(dev)["metadata"]["name"]
    renamed = f"{name}-z"
    new = {key.replace(name, renamed) for key in old}

    source = repository.work / "environments" / f"{dev.environment}.yaml"
    original = source.read_text(encoding="utf-8")
    repository.change(dev.environment, database={"instance": renamed})
    _leaves(dev, repository.publish("another database"), "infra", old.keys())
    assert _skipped(dev) == dict.fromkeys(old, "ignored (requires pruning)")
    there = _sql(dev)
    assert there.keys() == old.keys() | new
    assert {key: essence(there[key]) for key in old} == {key: essence(one) for key, one in old.items()}
    assert renamed in _connection(dev), "Dify has moved"

    source.write_text(original, encoding="utf-8")
    repository.generate()
    _leaves(dev, repository.publish("the first database again"), "infra", new)
    assert renamed not in _connection(dev)
    person("delete", "--namespace=dify-infra", *new)  # Config Connector abandons what they stand for
    _follow(_revision(dev), dev)
    assert _sql(dev).keys() == old.keys()


# --- What stories do


def _customize(
    repository: Repository, folder: str, cluster: Cluster, add: Object | None = None, remove: Object | None = None
) -> None:
    """Write the user's own component: with an object more, or with one less than what is generated."""
    custom = repository.work / folder / cluster.environment / "custom"
    component: dict[str, Any] = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"}
    if add:
        (custom / "more.yaml").write_text(yaml.safe_dump(add), encoding="utf-8")
        component["resources"] = ["more.yaml"]
    if remove:
        at = {key: remove["metadata"][key] for key in ("name", "namespace")}
        patch = {"apiVersion": remove["apiVersion"], "kind": remove["kind"], "metadata": at, "$patch": "delete"}
        component["patches"] = [{"patch": yaml.safe_dump(patch)}]
    (custom / "kustomization.yaml").write_text(yaml.safe_dump(component), encoding="utf-8")


def _follow(revision: str, *clusters: Cluster) -> None:
    """Wait until clusters are Synced and Healthy at a commit; all of them look for it at once."""
    for cluster in clusters:
        cluster.look()
    names = " and ".join(cluster.environment for cluster in clusters)
    wait(
        f"{names}: Synced and Healthy",
        lambda: [f"{one.environment}: {lack}" for one in clusters for lack in one.unfinished(revision)],
        FOLLOW_SECONDS,
    )


def _leaves(cluster: Cluster, revision: str, application: str, names: Collection[str]) -> None:
    """Wait until all is done, but an Application reports that these objects have gone from Git; each is `Kind/name`."""

    def missing() -> list[str]:
        found = cluster.unfinished(revision)
        resources = cluster.argocd.application(application)["status"].get("resources", [])
        out = {_key(one): one.get("requiresPruning") for one in resources if one.get("status") not in {None, "Synced"}}
        done = found == [f"{application}: OutOfSync and Healthy"] and out == dict.fromkeys(names, True)
        return [] if done else [*found, *out]

    cluster.look()
    wait(f"{cluster.environment}: {application} reports {len(names)} objects", missing, FOLLOW_SECONDS)


# --- What stories see


def _now() -> str:
    """Return this moment as the audit log writes it."""
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _since(cluster: Cluster, begun: str) -> Iterator[Write]:
    """Yield the changes that were made from a moment on."""
    return (one for one in cluster.plane.writes() if one.time > begun and one.code < 300 and not one.dry_run)


def _by_argocd(cluster: Cluster, begun: str) -> list[Write]:
    return [write for write in _since(cluster, begun) if write.user == CONTROLLER]


def _writers(cluster: Cluster, begun: str, edit: Edit) -> list[str]:
    """Return who wrote an object, person or Argo CD, one after the other."""
    return [
        write.user
        for write in _since(cluster, begun)
        if (write.resource, write.namespace, write.name) == (edit.resource, edit.namespace, edit.name)
        and write.user in {PERSON, CONTROLLER}
    ]


def _part(kubectl: Kubectl, edit: Edit) -> str:
    """Return the part of an object that matters, empty where there is no object."""
    at = [edit.resource, edit.name, f"--namespace={edit.namespace}"]
    return kubectl("get", *at, "--ignore-not-found", f"--output=jsonpath={edit.part}").stdout


def _state(cluster: Cluster, repository: Repository) -> dict[str, str]:
    """Return what each published object of an environment is in its cluster; Argo CD writes into its Applications."""
    objects = [one for one in rendered(repository.published, cluster.environment) if one["kind"] != "Application"]
    return {identity(one): essence(one) for one in cluster.kubectl.stored(objects)}


def _hooks(cluster: Cluster, repository: Repository) -> list[Object]:
    """Return the Jobs that Argo CD makes anew at every sync."""
    objects = rendered(repository.published, cluster.environment)
    return [one for one in objects if HOOK in one["metadata"].get("annotations", {})]


def _differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return what is not as it was, by object."""
    keys = sorted(before.keys() | after.keys())
    return {key: pair for key in keys if len(set(pair := (before.get(key, ""), after.get(key, "")))) > 1}


def _revision(cluster: Cluster) -> str:
    """Return the commit that Argo CD has seen last."""
    return str(cluster.argocd.application("root")["status"]["sync"]["revision"])


def _skipped(cluster: Cluster) -> dict[str, str]:
    """Return what the last sync of `infra` said of objects that it did not prune."""
    results = cluster.argocd.application("infra")["status"]["operationState"]["syncResult"]["resources"]
    return {_key(one): one["message"] for one in results if one["status"] == "PruneSkipped"}


def _key(one: dict[str, Any]) -> str:
    """Return `Kind/name` of what an Application's status tells of an object."""
    return f"{one['kind']}/{one['name']}"


def _sql(cluster: Cluster) -> dict[str, Object]:
    """Return the instances, with their databases and users, each as `Kind/name`."""
    found = cluster.kubectl.list("sqlinstances,sqldatabases,sqlusers", "dify-infra")
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def _primary(cluster: Cluster) -> Object:
    """Return the instance that Dify writes to: a replica names its master."""
    (found,) = (one for one in cluster.kubectl.list("sqlinstances") if "masterInstanceRef" not in one["spec"])
    return found


def _connection(cluster: Cluster) -> str:
    """Return the settings of the proxy that the pods of `api` reach the database through."""
    (proxy,) = {
        name for pod in _pods(cluster)["api"].values() for name in _maps(pod) if name.startswith("cloud-sql-proxy")
    }
    return json.dumps(cluster.kubectl.get("configmap", proxy, "dify")["data"])


def _pods(cluster: Cluster) -> dict[str, dict[str, Object]]:
    """Return the pods that are meant to stay, workload by workload: name → pod."""
    found: dict[str, dict[str, Object]] = {}
    for namespace in ("dify", "dify-sandbox"):
        for pod in cluster.kubectl.list("pods", namespace):
            meta = pod["metadata"]
            if meta["ownerReferences"][0]["kind"] != "Job" and "deletionTimestamp" not in meta:
                found.setdefault(meta["labels"]["app.kubernetes.io/name"], {})[meta["uid"]] = pod
    return found


def _containers(one: Object) -> list[dict[str, Any]]:
    """Return all containers of a pod, or of a workload's pods."""
    spec = one["spec"].get("template", one)["spec"]
    return [*spec.get("initContainers", ()), *spec["containers"]]


def _versions(one: Object) -> dict[str, str]:
    """Return the tag of each image."""
    return dict(container["image"].rsplit(":", 1) for container in _containers(one))


def _maps(one: Object) -> set[str]:
    """Return the ConfigMaps whose keys are environment variables."""
    sources = [source for container in _containers(one) for source in container.get("envFrom", ())]
    return {source["configMapRef"]["name"] for source in sources if "configMapRef" in source}
