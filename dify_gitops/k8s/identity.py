"""ServiceAccounts: one per workload, none with a Kubernetes token."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue.flows import NAMESPACES
from dify_gitops.k8s.objects import Manifest, manifest


def service_account(workload: str, google_account: str = "") -> Manifest:
    """The identity of a workload; with ``google_account`` (an e-mail) also for Google Cloud."""
    return manifest(
        "Its pods act as this Google service account (Workload Identity): no key anywhere."
        if google_account
        else "An identity of its own, without any right.",
        ("v1", "ServiceAccount"),
        workload,
        namespace=NAMESPACES.get(workload, names.DIFY),
        workload=workload,
        wave=names.WAVE_FOUNDATION,
        annotations={names.GOOGLE_SERVICE_ACCOUNT: google_account} if google_account else None,
        automountServiceAccountToken=False,
    )
