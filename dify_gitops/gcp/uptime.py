"""uptime.yaml: Google's checkers ask for Dify from all over the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.catalogue import ports
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import project_ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

# What answers 200 without a login. The second one reads a row: balancer, API and database are well.
CHECKS = {
    "pages": ("/signin", "The console's first page: load balancer and web."),
    "api": ("/console/api/setup", "Whether Dify is set up: load balancer, API and database."),
}


def reachable(site: Site) -> bool:
    """Whether Google's checkers may come in: no list of who may."""
    return not site.environment.edge.allow


def concern(site: Site) -> Concern:
    """The checks; none where only some ranges may come in, as the checkers have no addresses to put on a list."""
    environment = site.environment
    target = {"host": environment.domain, "project_id": environment.project}
    checks = [
        resource(
            why,
            "monitoring",
            "MonitoringUptimeCheckConfig",
            f"{name}.{environment.domain}",
            site,
            spec={
                "projectRef": project_ref(site),
                "displayName": f"Dify {site.name}: {name}",
                "period": "60s",
                "timeout": "10s",
                "httpCheck": {
                    "path": Note(path, "answers 200 without a login"),
                    "port": ports.HTTPS,
                    "useSsl": True,
                    "validateSsl": Note(True, "a certificate that browsers refuse is a failure"),
                    "requestMethod": "GET",
                },
                "monitoredResource": Note({"type": "uptime_url", "filterLabels": target}, "immutable, like the name"),
            },
        )
        for name, (path, why) in CHECKS.items()
        if reachable(site)
    ]
    return Concern("uptime", "Is Dify there, seen from outside? alerts.yaml calls when it is not.", checks)
