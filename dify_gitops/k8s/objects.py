"""Objects and their metadata."""

from __future__ import annotations

from typing import Any, NamedTuple

from dify_gitops import names
from dify_gitops.emit import plain


class Manifest(NamedTuple):
    """One object and the sentence that says why it exists."""

    why: str
    body: dict[str, Any]


class Identity(NamedTuple):
    """What makes an object itself; ``namespace`` is empty for what belongs to the whole cluster."""

    group: str
    kind: str
    namespace: str
    name: str


def identity(body: dict[str, Any]) -> Identity:
    """Identity of an object."""
    metadata = body["metadata"]
    group, slash, _ = body["apiVersion"].partition("/")
    return Identity(group if slash else "", body["kind"], metadata.get("namespace", ""), plain(metadata["name"]))


def sentence(text: str, end: str = ".") -> str:
    """A text as a sentence."""
    return f"{text[0].upper()}{text[1:]}{end}"


def labels(workload: str, component: str = "") -> dict[str, str]:
    """Labels of everything that belongs to one workload."""
    pool = {names.COMPONENT: component} if component else {}
    return {names.NAME: workload, **pool, names.PART_OF: "dify"}


def selector(workload: str, component: str = "") -> dict[str, Any]:
    """Selects the pods of one workload, or of one pool of it."""
    pool = {names.COMPONENT: component} if component else {}
    return {"matchLabels": {names.NAME: workload, **pool}}


def pod_security(level: str, kubernetes: str) -> dict[str, str]:
    """Labels of a namespace: which pods it takes; enforced as the cluster's minor version means it."""
    security = "pod-security.kubernetes.io"
    return {
        f"{security}/enforce": level,
        f"{security}/enforce-version": f"v{kubernetes}",
        f"{security}/audit": level,
        f"{security}/audit-version": "latest",
        f"{security}/warn": level,
        f"{security}/warn-version": "latest",
    }


def manifest(
    why: str,
    kind: tuple[str, str],
    name: str,
    *,
    workload: str,
    wave: str,
    namespace: str | None = names.DIFY,
    component: str = "",
    annotations: dict[str, str] | None = None,
    more_labels: dict[str, str] | None = None,
    **body: Any,
) -> Manifest:
    """An object; ``kind`` is (apiVersion, kind), ``body`` what stands beside the metadata (spec, data, …).

    Wave 0 is the default of Argo CD and not written.
    """
    notes = dict(annotations or {})
    if wave != names.WAVE_APPLICATION:
        notes[names.SYNC_WAVE] = wave
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = labels(workload, component) | (more_labels or {})
    if notes:
        metadata["annotations"] = notes
    return Manifest(why, {"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, **body})


def with_labels(body: dict[str, Any], extra: dict[str, str]) -> dict[str, Any]:
    """The object with the user's labels; ours win, because selectors rely on them."""
    if not extra:
        return body
    metadata = body["metadata"]
    return body | {"metadata": metadata | {"labels": {**extra, **metadata["labels"]}}}
