"""metrics.yaml: what managed Prometheus scrapes of KEDA and Argo CD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.emit import Flow, Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.watch import delivery, queues
from dify_gitops.k8s.objects import Manifest, manifest

if TYPE_CHECKING:
    from dify_gitops.gcp import Site


def _scrape(why: str, controller: str, port: int, metric: str) -> Manifest:
    return manifest(
        why,
        ("monitoring.googleapis.com/v1", "ClusterPodMonitoring"),
        controller,
        namespace=None,
        workload=controller,
        wave=names.WAVE_APPLICATION,
        spec={
            "selector": {"matchLabels": {names.NAME: controller}},
            "endpoints": [
                {
                    "port": Note(port, "by number: upstream gives it no name, or one that may change"),
                    "interval": "30s",
                    "metricRelabeling": [
                        Note(
                            {"action": "keep", "sourceLabels": Flow(["__name__"]), "regex": metric},
                            "every sample is paid: only what the alerts look at",
                        )
                    ],
                }
            ],
        },
    )


def concern(site: Site) -> Concern:  # noqa: ARG001 - the same in every environment
    """Two controllers of the platform; what Dify's own pods report is scraped from overlays/."""
    return Concern(
        "metrics",
        "Metrics of the platform's controllers. Not in their own namespaces, where only the platform's project of "
        "Argo CD may write: so the kind without a namespace.",
        [
            _scrape("Length of every queue, as KEDA sees it.", "keda-operator", ports.KEDA_METRICS, queues.METRIC),
            _scrape(
                "State of every Application.", "argocd-application-controller", ports.ARGOCD_METRICS, delivery.METRIC
            ),
        ],
    )
