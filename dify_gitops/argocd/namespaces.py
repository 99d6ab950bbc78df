"""namespaces.yaml: where the controllers run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.controllers import CONTROLLERS
from dify_gitops.gcp import Concern
from dify_gitops.k8s.objects import manifest, pod_security

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest


def _namespace(site: Site, name: str) -> Manifest:
    return manifest(
        "Deleting it would take the controller along, and its custom kinds with every object of them.",
        ("v1", "Namespace"),
        name,
        namespace=None,
        workload=name,
        wave=names.WAVE_NAMESPACES,
        annotations={names.SYNC_OPTIONS: names.KEEP},
        more_labels={**pod_security("restricted", site.environment.kubernetes), names.BOOTSTRAP: "true"},
    )


def concern(site: Site) -> Concern:
    """One namespace for each controller, and defaults for Argo CD's containers, which ask for nothing themselves."""
    limits = manifest(
        "Upstream's manifests name no requests and limits; the two hungry ones get their own in applications.yaml.",
        ("v1", "LimitRange"),
        "defaults",
        namespace=names.ARGOCD,
        workload=names.ARGOCD,
        wave=names.WAVE_SETTINGS,
        spec={
            "limits": [
                {
                    "type": "Container",
                    "defaultRequest": {"cpu": "50m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
                    "default": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "1Gi"},
                }
            ]
        },
    )
    spaces = [_namespace(site, controller.name) for controller in CONTROLLERS]
    return Concern(
        "namespaces", "Namespaces of the controllers; those of Dify stand beside what lives in them.", [*spaces, limits]
    )
