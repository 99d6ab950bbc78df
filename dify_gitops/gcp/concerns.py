"""All files of ``config-connector/<env>/generated``, in the order of reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.gcp import (
    access,
    alerts,
    apis,
    backup,
    cloud_sql,
    cluster,
    config_connector,
    dashboard,
    dns,
    edge,
    external_secrets,
    firewall,
    identity,
    logs,
    memorystore,
    metrics,
    network,
    secrets,
    storage,
    uptime,
)

if TYPE_CHECKING:
    from dify_gitops.gcp import Concern, Site

MODULES = (
    config_connector,
    apis,
    network,
    firewall,
    identity,
    access,
    secrets,
    external_secrets,
    cluster,
    cloud_sql,
    memorystore,
    storage,
    edge,
    dns,
    logs,
    alerts,
    uptime,
    dashboard,
    metrics,
    backup,
)


def concerns(site: Site) -> list[Concern]:
    """What one environment has on Google Cloud; files that would be empty are left out."""
    return [concern for module in MODULES if (concern := module.concern(site)).manifests]
