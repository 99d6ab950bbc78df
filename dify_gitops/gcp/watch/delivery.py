"""Alerts on Argo CD: whether what runs is what Git says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp.watch.words import Alert, Query, policy

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

METRIC = "argocd_app_info"  # https://argo-cd.readthedocs.io/en/stable/operator-manual/metrics/
_SYNC, _HEALTH = 1800, 900
_OWN = f'cluster="{names.CLUSTER}"'


def _out_of_sync() -> Query:
    return Query("not synced", f'max by (name) ({METRIC}{{{_OWN},sync_status!="Synced"}})', 0, _SYNC)


def _unhealthy() -> Query:
    bad = f'max by (name) ({METRIC}{{{_OWN},health_status=~"Degraded|Missing|Unknown"}})'
    return Query("not healthy, or no report", f"({bad} or absent({METRIC}{{{_OWN}}}))", 0, _HEALTH)


def policies(site: Site) -> list[Manifest]:
    """Sync, health."""
    return [
        policy(
            site,
            "Half an hour: a merge that makes a cluster or a database takes that long.",
            Alert("argocd-sync", "Argo CD is out of sync", "WARNING"),
            [_out_of_sync()],
        ),
        policy(
            site,
            "A quarter of an hour: a rollout passes through bad states. No report at all is one too.",
            Alert("argocd-health", "an Application is degraded", "ERROR"),
            [_unhealthy()],
            infra=names.INFRA,
        ),
    ]
