"""Config Connector's objects: their metadata, and references between them.

https://cloud.google.com/config-connector/docs/reference/overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.google import LOCKED_KINDS
from dify_gitops.k8s.objects import Manifest

if TYPE_CHECKING:
    from dify_gitops.gcp import Site


def api_group(service: str) -> str:
    """``sql`` → ``sql.cnrm.cloud.google.com``."""
    return f"{service}.{names.CNRM}"


def api_version(service: str, version: str = "v1beta1") -> str:
    """``sql`` → ``sql.cnrm.cloud.google.com/v1beta1``."""
    return f"{api_group(service)}/{version}"


LOCKS = {names.SYNC_OPTIONS: names.KEEP, names.DELETION_POLICY: names.ABANDON}


def object_name(real: str) -> str:
    """Name of the object that stands for something whose own name Kubernetes would refuse (``_``, upper case)."""
    return real.lower().replace("_", "-")


def resource(
    why: str,
    service: str,
    kind: str,
    name: Any,
    site: Site,
    *,
    wave: str = "",
    locked: bool = False,
    version: str = "v1beta1",
    labels: dict[str, str] | None = None,
    annotations: dict[str, Any] | None = None,
    spec: dict[str, Any],
) -> Manifest:
    """An object of Config Connector; ``service`` is the first part of its API group, ``wave`` empty for wave 0.

    ``name`` is that of the resource in Google Cloud. ``locked`` objects are locked whatever the input says.
    Labels without a slash become labels in Google Cloud.
    """
    notes: dict[str, Any] = {names.SYNC_WAVE: wave} if wave else {}
    if locked or (kind in LOCKED_KINDS and site.environment.deletion_protection):
        notes |= LOCKS
    if isinstance(name, str) and (label := object_name(name)) != name:
        spec = {"resourceID": name} | spec
        name = label
    notes[names.PROJECT_ID] = site.environment.project
    metadata = {
        "name": name,
        "namespace": names.INFRA,
        "labels": {names.PART_OF: "dify", "environment": site.name, **(labels or {})},
        "annotations": notes | (annotations or {}),
    }
    body = {"apiVersion": api_version(service, version), "kind": kind, "metadata": metadata}
    return Manifest(why, body | {"spec": spec} if spec else body)


def ref(name: str) -> dict[str, str]:
    """A reference to an object in the same namespace, of the kind that the field expects."""
    return {"name": name}


def project_ref(site: Site) -> dict[str, str]:
    """A reference to the environment's project, which is no object here."""
    return {"external": f"projects/{site.environment.project}"}
