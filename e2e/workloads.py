"""What is not yet as it should be in a cluster, told for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.kubectl import Kubectl, Object

# Groups whose controllers say `Ready`; of the other kinds in them see EXCEPT.
READY_GROUPS = (".cnrm.cloud.google.com", "external-secrets.io", "keda.sh")
SETTINGS = ("ConfigConnector", "ConfigConnectorContext")
EXCEPT = ("Password", "TriggerAuthentication")
EVENTS = 15


def unavailable(kubectl: Kubectl, state: str = "available") -> list[str]:
    """Say of each workload what is missing: current replicas that are `available` or `ready`, the end of a Job."""
    found = [line for one in kubectl.list("deployments,statefulsets") if (line := _replicas(one, state))]
    found += [f"Job {_at(one)}" for one in kubectl.list("jobs") if not _condition(one, "Complete")]
    return found


def unready(kubectl: Kubectl, objects: Iterable[Object]) -> list[str]:
    """Say which of these objects of operators are not ready, and why."""
    asked = [one for one in objects if one["apiVersion"].partition("/")[0].endswith(READY_GROUPS)]
    asked = [one for one in asked if one["kind"] not in EXCEPT]
    return [line for one in kubectl.stored(asked) for line in _unready(one)]


def explain(kubectl: Kubectl) -> str:
    """Tell what a person would look up first: conditions of pods that are not ready, nodes, warnings."""
    lines = [line for pod in kubectl.list("pods") for line in _pod(pod)]
    lines += [f"node {one['metadata']['name']}: {one['spec'].get('taints', 'free')}" for one in kubectl.list("nodes")]
    events = kubectl("get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp").stdout
    return "\n".join([*lines, *events.splitlines()[-EVENTS:]])


def _replicas(workload: Object, state: str) -> str:
    meta, status, wanted = workload["metadata"], workload.get("status", {}), workload["spec"]["replicas"]
    names = ("updatedReplicas", f"{state}Replicas", "replicas")
    there = [status.get(name, 0) for name in names]
    if status.get("observedGeneration") == meta["generation"] and there == [wanted] * len(names):
        return ""
    return f"{workload['kind']} {_at(workload)} {there[1]}/{wanted}"


def _unready(one: Object) -> Iterator[str]:
    status = one.get("status", {})
    if one["kind"] in SETTINGS:
        if not status.get("healthy"):
            yield f"{one['kind']} {_at(one)}"
        return
    ready = _condition(one, "Ready")
    seen = status.get("observedGeneration", one["metadata"]["generation"]) == one["metadata"]["generation"]
    if not (ready and seen):
        said = [f"{each.get('reason', '')} {each.get('message', '')}".strip() for each in status.get("conditions", ())]
        yield f"{one['kind']} {_at(one)} {'; '.join(said)}".rstrip()


def _pod(pod: Object) -> Iterator[str]:
    if pod["status"]["phase"] == "Succeeded" or _condition(pod, "Ready"):
        return
    reasons = [each.get("message") or each["type"] for each in _conditions(pod) if each["status"] == "False"]
    yield f"pod {_at(pod)}: {pod['status']['phase']}, {'; '.join(reasons)}"


def _conditions(one: Object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one.get("status", {}).get("conditions") or []
    return found


def _condition(one: Object, kind: str) -> bool:
    return any(each["type"] == kind and each["status"] == "True" for each in _conditions(one))


def _at(one: Object) -> str:
    meta = one["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else str(meta["name"])
