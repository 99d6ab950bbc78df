"""What a person would look up first when a cluster is not as Git has it, and what a run has proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops.process import ToolError
from e2e.argocd import NAMESPACE
from e2e.workloads import explain, unavailable, unready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pytest

    from e2e.cluster import Cluster
    from e2e.kubectl import Object
    from e2e.processes import Server

LINES = 25  # of one chapter: the logs have the rest
WIDTH = 600  # of one line
GOOD_RESULTS = ("Synced", "Pruned", "PruneSkipped")


class Proof(NamedTuple):
    """What a test proved, or did not."""

    level: str
    """What its file is about."""
    sentence: str
    outcome: str
    """`passed`, `failed` or `skipped`."""
    seconds: float
    """With the preparation that it was the first to need, and its tidying."""

    @classmethod
    def of(cls, item: pytest.Function, report: pytest.TestReport, before: Proof | None) -> Proof:
        """Return it as of one more phase of a test; `before` is what its earlier phases gave."""
        level = (item.module.__doc__ or item.module.__name__).partition("\n")[0]
        name, _, parameters = item.name.removeprefix("test_").replace("_", " ").partition("[")
        sentence = f"{name}, {parameters.rstrip(']')}" if parameters else name
        outcome = report.outcome if before is None or before.outcome == "passed" else before.outcome
        return cls(level, sentence, outcome, report.duration + (before.seconds if before else 0))


def waves(application: Object) -> dict[int, list[str]]:
    """Return what an Application has not synced, by wave, in the order of the sync: `StatefulSet dify/weaviate`.

    A sync goes on to the next wave when all of one is synced and healthy: the first wave here holds back the others.
    """
    found: dict[int, list[str]] = {}
    for one in application.get("status", {}).get("resources", ()):
        if one.get("status") not in {None, "Synced"} and not one.get("requiresPruning"):  # hooks have none
            found.setdefault(one.get("syncWave", 0), []).append(_at(one))
    return dict(sorted(found.items()))


def tell(cluster: Cluster) -> str:
    """Tell what is not well in a cluster, in bounded length; what cannot be found out is told too."""
    kubectl = cluster.kubectl
    chapters: dict[str, Callable[[], Iterable[str]]] = {
        "programs": lambda: _programs(cluster),
        "Applications": lambda: [
            line for one in kubectl.list("applications.argoproj.io", NAMESPACE) for line in _application(one)
        ],
        "objects of operators that are not ready": lambda: unready(kubectl, _resources(cluster)),
        "workloads": lambda: unavailable(kubectl),
        "pods, nodes, warnings": lambda: explain(kubectl).splitlines(),
        "logs": lambda: sorted(str(server.log) for server in _servers(cluster)),
    }
    return "\n".join(line for title, lines in chapters.items() for line in _chapter(title, lines))


def table(proofs: Iterable[Proof]) -> Iterator[str]:
    """Give the lines of a table: each level, and each of its tests with its outcome and its seconds."""
    level = ""
    for one in proofs:
        if one.level != level:
            level = one.level
            yield level
        yield f"  {one.outcome:<8}{one.seconds:7.1f} s  {one.sentence}"


def _chapter(title: str, lines: Callable[[], Iterable[str]]) -> Iterator[str]:
    try:
        found = list(lines())
    except ToolError as error:  # often the API server itself is what is broken
        found = [f"cannot be told: {error}"]
    if not found:
        return
    yield f"{title}:"
    yield from (f"  {line[:WIDTH]}" for line in found[:LINES])
    if len(found) > LINES:
        yield f"  and {len(found) - LINES} more"


def _servers(cluster: Cluster) -> list[Server]:
    return [*cluster.plane.servers, *cluster.argocd.servers.values()]


def _programs(cluster: Cluster) -> Iterator[str]:
    for server in _servers(cluster):
        try:
            server.check()
        except ToolError as error:
            yield from str(error).splitlines()


def _application(application: Object) -> Iterator[str]:
    """Tell of an Application that is not Synced, Healthy and done: what it says, what failed, which waves wait."""
    status: dict[str, Any] = application.get("status", {})
    operation = status.get("operationState", {})
    said = [status.get("sync", {}).get("status"), status.get("health", {}).get("status"), operation.get("phase")]
    if said == ["Synced", "Healthy", "Succeeded"] and not status.get("conditions"):
        return
    yield f"{application['metadata']['name']}: {', '.join(map(str, said))}, {operation.get('message', '')}"
    yield from (f"  {one['type']}: {one['message']}" for one in status.get("conditions", ()))
    for one in operation.get("syncResult", {}).get("resources", ()):
        if one["status"] not in GOOD_RESULTS or one.get("hookPhase") == "Failed":
            yield f"  {one['status']} {_at(one)}: {one.get('message', '')}"
    for wave, objects in waves(application).items():
        yield f"  wave {wave} waits ({len(objects)}): {', '.join(objects)}"


def _resources(cluster: Cluster) -> list[Object]:
    """Return what Applications say that they have, as much of it as kubectl needs to find it."""
    return [
        {
            "apiVersion": f"{one['group']}/{one['version']}" if "group" in one else one["version"],
            "kind": one["kind"],
            "metadata": {"name": one["name"], "namespace": one.get("namespace", "")},
        }
        for application in cluster.kubectl.list("applications.argoproj.io", NAMESPACE)
        for one in application.get("status", {}).get("resources", ())
    ]


def _at(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['namespace']}/{one['name']}" if one.get("namespace") else f"{one['kind']} {one['name']}"
