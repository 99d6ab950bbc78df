"""Level 1: a real API server takes every object as it is, says nothing against it, and keeps it as it was sent."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from e2e.argocd import upstream
from e2e.control_plane import ControlPlane
from e2e.crds import crds
from e2e.kubectl import Object, Refused, identity
from e2e.rendering import policies, rendered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.processes import Run
    from e2e.repository import Repository


class Applied(NamedTuple):
    """A server that holds all objects of one environment, and these objects as kustomize renders them."""

    plane: ControlPlane
    objects: list[Object]


@pytest.fixture(scope="module")
def applied(run: Run, repository: Repository, environment: str) -> Iterator[Applied]:
    """A fresh server with the kinds, an organisation's policies, then every object; any warning is an error."""
    plane = ControlPlane(run, f"{environment}-level-1")
    objects = rendered(repository.work, environment)
    objects += upstream(repository.work, environment, plane.folder)
    definitions = crds(objects)
    plane.kubectl.define(definitions)
    plane.kubectl.apply(policies(repository.work, environment))
    there = [identity(one) for one in definitions]
    objects = [one for one in objects if identity(one) not in there]
    for first in (True, False):
        plane.kubectl.apply(one for one in objects if (one["kind"] == "Namespace") is first)
    yield Applied(plane, objects)
    plane.stop()


def test_everything_is_accepted_without_a_warning(applied: Applied) -> None:
    stored = applied.plane.kubectl.stored(applied.objects)
    assert [identity(one) for one in stored] == [identity(one) for one in applied.objects]


def test_everything_is_kept_as_it_was_sent(applied: Applied) -> None:
    """Another spelling of a number, a port or a list would be a difference that Argo CD sees for ever."""
    stored = applied.plane.kubectl.stored(applied.objects)
    pairs = zip(applied.objects, stored, strict=True)
    assert {identity(sent): found for sent, kept in pairs if (found := differences(sent, kept))} == {}


def test_applying_again_changes_nothing(applied: Applied) -> None:
    before = contents(applied)
    applied.plane.kubectl.apply(applied.objects)
    after = contents(applied)
    assert [one for one in before if after[one] != before[one]] == []


def test_a_number_in_another_spelling_is_a_difference(applied: Applied) -> None:
    web = named(applied.objects, "Deployment", "web")
    container = web["spec"]["template"]["spec"]["containers"][0]
    container["resources"]["requests"]["memory"] = "1024Mi"
    kept = applied.plane.kubectl.dry_run(web)
    path = "spec.template.spec.containers[0].resources.requests.memory"
    assert differences(web, kept) == [f"{path}: sent '1024Mi', kept '1Gi'"]


def test_a_warning_is_an_error(applied: Applied) -> None:
    sandbox = named(applied.objects, "Deployment", "sandbox")
    sandbox["spec"]["template"]["spec"]["hostNetwork"] = True
    with pytest.raises(Refused, match="would violate PodSecurity"):
        applied.plane.kubectl.dry_run(sandbox)


# Kind of an object that is rendered, what a careless person makes of it (None: takes it out), and the answer.
REFUSED = [
    ("SQLInstance", "spec.settings.tyer", "db-f1-micro", "tyer: field not declared in schema"),
    ("PushSecret", "spec.updatePolicy", "Never", "Unsupported value"),
    ("SQLInstance", "spec.region", "elsewhere-north1", "cannot change"),
    ("SQLInstance", "spec.databaseVersion", "POSTGRES_1", "cannot go back"),
    ("Deployment", "spec.selector.matchLabels.new", "label", "immutable"),
    ("SQLInstance", "spec.settings.ipConfiguration.ipv4Enabled", True, "constraints/sql.restrictPublicIp"),
    ("SQLInstance", "spec.settings.ipConfiguration.sslMode", None, "constraints/custom.sqlTlsOnly"),
    ("StorageBucket", "spec.publicAccessPrevention", "inherited", "constraints/storage.publicAccessPrevention"),
    ("StorageBucket", "spec.uniformBucketLevelAccess", None, "constraints/storage.uniformBucketLevelAccess"),
    ("ContainerCluster", "spec.privateClusterConfig.enablePrivateNodes", False, "container.managed.enablePrivateNodes"),
    ("ContainerNodePool", "spec.nodeConfig.serviceAccountRef", None, "cannot change"),
]


@pytest.mark.parametrize(("kind", "path", "value", "reason"), REFUSED)
def test_what_is_wrong_is_refused(applied: Applied, kind: str, path: str, value: object, reason: str) -> None:
    changed = first(applied.objects, kind)
    *way, last = path.split(".")
    place = changed
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    with pytest.raises(Refused, match=reason):
        applied.plane.kubectl.dry_run(changed)


def test_a_node_pool_or_a_pod_without_an_account_of_its_own_is_refused(applied: Applied) -> None:
    pool = first(applied.objects, "ContainerNodePool")
    pool["metadata"]["name"] = "loose"
    del pool["spec"]["nodeConfig"]["serviceAccountRef"]
    with pytest.raises(Refused, match="disallowDefaultComputeServiceAccount"):
        applied.plane.kubectl.dry_run(pool)
    pod = named(applied.objects, "Deployment", "web")["spec"]["template"]
    pod["metadata"] |= {"name": "loose", "namespace": "dify"}
    pod["spec"]["serviceAccountName"] = "default"
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "dify"}}
    applied.plane.kubectl.apply([account])  # what the controller manager would have made
    with pytest.raises(Refused, match="must name an account of the workload's own"):
        applied.plane.kubectl.dry_run({"apiVersion": "v1", "kind": "Pod", **pod})


def test_a_bucket_in_another_place_than_the_input_says_is_refused(applied: Applied) -> None:
    bucket = first(applied.objects, "StorageBucket")
    bucket["metadata"]["name"] = "far-away"
    bucket["spec"]["location"] = "ANTARCTICA"
    with pytest.raises(Refused, match=r"constraints/gcp\.resourceLocations: antarctica is none of"):
        applied.plane.kubectl.dry_run(bucket)


def contents(applied: Applied) -> dict[str, Object]:
    """Return each object as the server has it, but for its version, which also moves with who owns which field."""
    stored = {identity(one): one for one in applied.plane.kubectl.stored(applied.objects)}
    for one in stored.values():
        del one["metadata"]["resourceVersion"]
    return stored


def first(objects: list[Object], kind: str) -> Object:
    """Return a copy of the first object of a kind."""
    return copy.deepcopy(next(one for one in objects if one["kind"] == kind))


def named(objects: list[Object], kind: str, name: str) -> Object:
    """Return a copy of the object of this kind and name."""
    return first([one for one in objects if one["metadata"]["name"] == name], kind)


def differences(sent: Any, kept: Any, path: str = "") -> list[str]:
    """Say where `kept` has not what was sent; what it has besides are defaults and the server's own fields."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        return [line for name in sent for line in differences(sent[name], kept.get(name), f"{path}.{name}".strip("."))]
    if isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        pairs = enumerate(zip(sent, kept, strict=True))
        return [line for index, pair in pairs for line in differences(*pair, f"{path}[{index}]")]
    return [] if sent == kept else [f"{path}: sent {sent!r}, kept {kept!r}"]
