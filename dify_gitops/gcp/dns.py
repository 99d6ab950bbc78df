"""dns.yaml: the public zone and the record of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site


def concern(site: Site) -> Concern:
    """Zone and record; nothing where DNS lives elsewhere."""
    environment = site.environment
    zone = f"{environment.dns.zone or environment.domain}."
    objects = [
        resource(
            "Its name servers are in this object's status: the parent domain must delegate to them, once, by hand.",
            "dns",
            "DNSManagedZone",
            names.DNS_ZONE,
            site,
            wave=names.WAVE_REST,
            spec={
                "dnsName": Note(zone, "immutable"),
                "description": f"Dify {site.name}",
                "visibility": "public",
                "dnssecConfig": {"state": "on"},
            },
        ),
        resource(
            "The domain, by reference to the address: nobody copies it.",
            "dns",
            "DNSRecordSet",
            "dify",
            site,
            spec={
                "managedZoneRef": ref(names.DNS_ZONE),
                "name": f"{environment.domain}.",
                "type": "A",
                "ttl": 300,
                "rrdatasRefs": [{"kind": "ComputeAddress", "name": names.ADDRESS}],
            },
        ),
    ]
    return Concern("dns", "The public zone, and where the domain is found.", objects if environment.dns.managed else [])
