"""alerts.yaml: who is called, when, and what that person reads. The policies are in watch/, by part of the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import resource
from dify_gitops.gcp.watch import backups, cluster, database, delivery, edge, queues, redis

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest


def _channel(site: Site) -> Manifest:
    return resource(
        "Everybody who is called. Another way, such as a pager, is one more channel in custom/ and in the policies.",
        "monitoring",
        "MonitoringNotificationChannel",
        names.ALERTS,
        site,
        wave=names.WAVE_REST,
        spec={
            "type": "email",
            "enabled": True,
            "description": "contact in platform.yaml",
            "labels": {"email_address": site.platform.contact},
        },
    )


def concern(site: Site) -> Concern:
    """The channel, and a policy for each thing that a person must do something about."""
    parts = (edge, cluster, queues, database, redis, delivery, backups)
    return Concern(
        "alerts",
        "Alerts. Each says what to look at and what to do: that text is in the mail that it sends.",
        [_channel(site), *(policy for part in parts for policy in part.policies(site))],
    )
