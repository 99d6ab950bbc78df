"""Restart workloads whose Secrets have changed: their pods read values as environment, so only when they start.

Compares hashes that stand in annotations: no value of a Secret is ever asked for. Kubernetes replaces the pods, with
each workload's own strategy. Argo CD does not undo it: it applies server-side, and Git names neither annotation.
Exit status: 0 all is as it should be; 1 a workload could not be looked at or changed, the others were.

Environment, beside that of api_server.py
    WORKLOADS             file with one workload per line: kind namespace/name Secret …; one with «?» may be missing
    HASH_ANNOTATION       annotation of a Secret that tells when its data has changed
    SECRETS_ANNOTATION    ours, of the workload and of its pods: the hash over all of its Secrets
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api_server import NOT_FOUND, ApiError, ApiServer, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
RESOURCES = {"Deployment": "deployments", "StatefulSet": "statefulsets"}
GIVEN_UP = "ProgressDeadlineExceeded"
LENGTH = 16  # hexadecimal digits: enough to tell two states apart


class SecretError(Exception):
    """What is wrong with a Secret that pods cannot start without."""


def digest(api: ApiServer, namespace: str, secrets: Sequence[str], annotation: str) -> str:
    """One hash over all Secrets of a workload. Raises ApiError and SecretError."""
    found: dict[str, str | None] = {}
    for entry in secrets:
        name = entry.removesuffix("?")
        try:
            answer = api.get(f"/api/v1/namespaces/{namespace}/secrets/{name}", METADATA_ONLY)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            if name == entry:  # new pods could not start, so the old ones stay
                raise SecretError(f"Secret {name} is not there") from None
            found[name] = None
            continue
        found[name] = (answer["metadata"].get("annotations") or {}).get(annotation)
        if not found[name]:
            raise SecretError(f"Secret {name} has no annotation {annotation}: who made it?")
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:LENGTH]


def rolling(workload: dict[str, Any]) -> bool:
    """Whether pods are being replaced; a Deployment that has given up is not: new values may be what it lacks."""
    status = workload.get("status") or {}
    if any(one.get("reason") == GIVEN_UP for one in status.get("conditions") or []):
        return False
    seen = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    return not seen or status.get("updatedReplicas", 0) < workload["spec"].get("replicas", 1)


def look_after(api: ApiServer, line: str, settings: Mapping[str, str]) -> None:
    """Restart one workload, if its Secrets have changed. Raises ApiError and SecretError."""
    kind, place, *secrets = line.split()
    namespace, _, name = place.partition("/")
    path = f"/apis/apps/v1/namespaces/{namespace}/{RESOURCES[kind]}/{name}"
    annotation = settings["SECRETS_ANNOTATION"]
    now = digest(api, namespace, secrets, settings["HASH_ANNOTATION"])
    workload = api.get(path)
    before = (workload["metadata"].get("annotations") or {}).get(annotation)
    if before == now:
        return
    mark = {"metadata": {"annotations": {annotation: now}}}
    if before is None:
        api.patch(path, mark)
        say(f"{kind} {place}: looked at for the first time")
    elif rolling(workload):
        say(f"{kind} {place}: one of {', '.join(secrets)} has changed, but a rollout is not finished; next time")
    else:
        api.patch(path, {**mark, "spec": {"template": mark}})
        say(f"{kind} {place}: restarted, as one of {', '.join(secrets)} has changed")


def main(settings: Mapping[str, str]) -> int:
    """Look after every workload; return the exit status."""
    api = ApiServer(settings)
    failed = False
    for line in Path(settings["WORKLOADS"]).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        try:
            look_after(api, line, settings)
        except (ApiError, SecretError) as error:
            failed = True
            sys.stderr.write(f"restart: {' '.join(line.split()[:2])}: {error}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(os.environ))
