"""config-connector.yaml: Config Connector itself, and the namespace in which it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.google import CONFIG_CONNECTOR
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.k8s.objects import manifest, pod_security

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

_CORE = "core.cnrm.cloud.google.com/v1beta1"


def concern(site: Site) -> Concern:
    """What must be there first, and may never go: without it nothing here can be changed any more."""
    environment = site.environment
    absent = Note("Absent", "specs stay as Git has them; nothing that Google fills in is written back")
    keep = {names.SYNC_OPTIONS: names.KEEP}
    return Concern(
        "config-connector",
        "Config Connector and its namespace: everything else in this folder needs them.",
        [
            manifest(
                "Objects in here are resources of this one project. No pod ever runs here.",
                ("v1", "Namespace"),
                names.INFRA,
                namespace=None,
                workload="dify",
                wave=names.WAVE_PROJECT,
                annotations=keep | {names.PROJECT_ID: environment.project},
                more_labels=pod_security("restricted", environment.kubernetes),
            ),
            manifest(
                "One controller per namespace, each with a Google service account of its own.",
                (_CORE, "ConfigConnector"),
                "configconnector.core.cnrm.cloud.google.com",
                namespace=None,
                workload="config-connector",
                wave=names.WAVE_PROJECT,
                annotations=keep,
                spec={"mode": "namespaced", "stateIntoSpec": absent},
            ),
            manifest(
                "Who Config Connector is when it changes this project.",
                (_CORE, "ConfigConnectorContext"),
                "configconnectorcontext.core.cnrm.cloud.google.com",
                namespace=names.INFRA,
                workload="config-connector",
                wave=names.WAVE_PROJECT,
                annotations=keep,
                spec={
                    "googleServiceAccount": names.google_account(CONFIG_CONNECTOR, environment.project),
                    "stateIntoSpec": "Absent",
                },
            ),
        ],
    )
