"""Stages for kwok that stand in for Config Connector: every object becomes ready after a while, again for each change.

First `Ready` is False, with DependencyNotReady where other objects are referenced, then UpToDate. Nothing is asked of
the other objects: what Config Connector itself waits for is not proven here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.kinds import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.kubectl import Object

GROUPS = ".cnrm.cloud.google.com"
SETTINGS = "core.cnrm.cloud.google.com"
# Milliseconds at least and at most until a resource is ready: the order is Google's, minutes are seconds here.
SOON = (50, 150)
USUAL = (200, 800)
SLOW = {
    "ContainerCluster": (2500, 4000),
    "ContainerNodePool": (2000, 3000),
    "RedisInstance": (2000, 4000),
    "ServiceNetworkingConnection": (1000, 2000),
    "SQLInstance": (2500, 4000),
}
# Their names are numbers, which Google chooses.
NUMBERED = ("MonitoringAlertPolicy", "MonitoringNotificationChannel", "MonitoringUptimeCheckConfig")

_PROJECT = '{{ index .metadata.annotations "cnrm.cloud.google.com/project-id" }}'
# Templates of what else the status holds, where somebody reads it.
STATUS = {
    "ComputeAddress": 'observedState: {address: {{ or .spec.address "203.0.113.10" | Quote }}}',
    "DNSManagedZone": "nameServers: [ns-cloud-a1.googledomains.com., ns-cloud-a2.googledomains.com.]",
    "IAMServiceAccount": f"email: {{{{ .metadata.name }}}}@{_PROJECT}.iam.gserviceaccount.com",
    "RedisInstance": """\
host: 10.3.0.4
port: 6378
currentLocationId: {{ .spec.region }}-a
observedState: {authString: made-up-for-{{ .metadata.name }}}
serverCaCerts:
- cert: |
    -----BEGIN CERTIFICATE-----
    made up
    -----END CERTIFICATE-----
  serialNumber: "0"
""",
    "SQLInstance": f"""\
connectionName: "{_PROJECT}:{{{{ .spec.region }}}}:{{{{ or .spec.resourceID .metadata.name }}}}"
privateIpAddress: 10.3.0.3
""",
}

_SEEN = ".status.observedGeneration == .metadata.generation"
_REASON = '.status.conditions[]? | select(.type == "Ready") | .reason'
_NOT_READY = ("DependencyNotReady", "Updating")


def stages(objects: Iterable[Object]) -> Iterator[Object]:
    """Yield the Stages for all kinds of Config Connector among `objects`."""
    by_kind: dict[tuple[str, str], list[Object]] = {}
    for one in objects:
        if GROUPS in one["apiVersion"]:
            by_kind.setdefault((one["apiVersion"], one["kind"]), []).append(one)
    for (api_version, kind), ones in sorted(by_kind.items()):
        if api_version.startswith(SETTINGS):
            steps = [_status("healthy: true\nobservedGeneration: {{ .metadata.generation }}")]
            yield stage(api_version, kind, "healthy", when=[_unseen()], steps=steps)
            continue
        steps = [*_resource_id(api_version, kind), _seen(waits=any(_refers(one["spec"]) for one in ones))]
        yield stage(api_version, kind, "seen", when=[_unseen()], steps=steps, delay=SOON)
        ready = _condition("True", "UpToDate", "The resource is up to date") + STATUS.get(kind, "")
        delay = SLOW.get(kind, USUAL)
        yield stage(api_version, kind, "ready", when=_unready(), steps=[_status(ready)], delay=delay)


def failure(api_version: str, kind: str, name: str, namespace: str, *, reason: str, message: str) -> Object:
    """Return the Stage that lets one object fail instead of becoming ready: it outweighs the one for its kind."""
    here = [
        _matches(".metadata.name", "In", name),
        _matches(".metadata.namespace", "In", namespace),
    ]
    steps = [_status(_condition("False", reason, message))]
    found = stage(api_version, kind, f"{name}-fails", when=_unready() + here, steps=steps)
    found["spec"]["weight"] = 1
    return found


def stage(
    api_version: str,
    kind: str,
    name: str,
    *,
    when: list[dict[str, Any]],
    steps: list[dict[str, Any]],
    delay: tuple[int, int] = USUAL,
) -> Object:
    """Return a Stage named after the kind and `name`; `delay` is in milliseconds, at least and at most."""
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": f"{kind.lower()}-{name}"},
        "spec": {
            "resourceRef": {"apiGroup": api_version, "kind": kind},
            "selector": {"matchExpressions": [_matches(".metadata.deletionTimestamp", "DoesNotExist"), *when]},
            "delay": {"durationMilliseconds": delay[0], "jitterDurationMilliseconds": delay[1]},
            "steps": steps,
        },
    }


def _unready() -> list[dict[str, Any]]:
    """What is true of an object whose present generation was seen, and which is not ready yet."""
    return [_matches(_SEEN, "In", "true"), _matches(_REASON, "In", *_NOT_READY)]


def _unseen() -> dict[str, Any]:
    return _matches(_SEEN, "NotIn", "true")


def _matches(key: str, operator: str, *values: str) -> dict[str, Any]:
    query: dict[str, Any] = {"key": key, "operator": operator}
    return {"jq": {**query, "values": list(values)} if values else query}


def _refers(value: Any) -> bool:
    """Whether there is a reference to another object of the cluster, such as `networkRef: {name: …}`."""
    if isinstance(value, list):
        return any(map(_refers, value))
    if not isinstance(value, dict):
        return False
    return any((key.endswith("Ref") and "name" in child) or _refers(child) for key, child in value.items())


def _resource_id(api_version: str, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the step that writes the name in Google Cloud back into `spec`, where the kind has a field for it."""
    known = facts(api_version, kind)
    if known and "resourceID" in known.schema["properties"]["spec"]["properties"]:
        number = "{{ .metadata.uid | adler32sum | Quote }}"
        name = number if kind in NUMBERED else "{{ .metadata.name | Quote }}"
        template = f"{{{{ if not .spec.resourceID }}}}resourceID: {name}{{{{ else }}}}{{}}{{{{ end }}}}"
        yield {"patch": {"root": "spec", "template": template}}


def _seen(*, waits: bool) -> dict[str, Any]:
    updating = _condition("False", "Updating", "Update in progress")
    if not waits:
        return _status(updating)
    first = _condition("False", "DependencyNotReady", "waits for a resource that it refers to")
    return _status(f"{{{{ if .status.conditions }}}}\n{updating}{{{{ else }}}}\n{first}{{{{ end }}}}")


def _condition(status: str, reason: str, message: str) -> str:
    return f"""\
observedGeneration: {{{{ .metadata.generation }}}}
conditions:
- type: Ready
  status: "{status}"
  reason: {reason}
  message: {message!r}
  lastTransitionTime: {{{{ Now | Quote }}}}
"""


def _status(template: str) -> dict[str, Any]:
    return {"patch": {"subresource": "status", "root": "status", "template": template}}
