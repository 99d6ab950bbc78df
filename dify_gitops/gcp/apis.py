"""apis.yaml: which of Google's APIs are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.google import APIS, DNS_API, ENDPOINT_API, REGISTRY_API
from dify_gitops.gcp import Concern
from dify_gitops.gcp.registry import own_repository
from dify_gitops.gcp.resource import project_ref, resource
from dify_gitops.k8s.objects import sentence

if TYPE_CHECKING:
    from dify_gitops.gcp import Site


def needed(site: Site) -> dict[str, str]:
    """API, without ``.googleapis.com`` → who needs it."""
    environment = site.environment
    endpoint = environment.database.private_service_connect
    return (
        APIS
        | (DNS_API if environment.dns.managed or endpoint else {})
        | (ENDPOINT_API if endpoint else {})
        | (REGISTRY_API if own_repository(environment) else {})
    )


def concern(site: Site) -> Concern:
    """One object per API; removing it never turns the API off."""
    return Concern(
        "apis",
        "Google's APIs that are on. None is ever turned off from here: that could stop what others built.",
        [
            resource(
                sentence(why),
                "serviceusage",
                "Service",
                f"{api}.googleapis.com",
                site,
                wave=names.WAVE_APIS,
                annotations={names.DISABLE_ON_DESTROY: "false"},
                spec={"projectRef": project_ref(site)},
            )
            for api, why in needed(site).items()
        ],
    )
