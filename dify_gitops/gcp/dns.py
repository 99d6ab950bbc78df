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
    zone = environment.dns.zone or environment.domain
    # Neither can change, so the names say both: another domain or zone is another object. Google takes 63 characters.
    called = f"zone-{zone.replace('.', '-')}"[:63].rstrip("-")
    objects = [
        resource(
            "Its name servers are in this object's status: the parent domain must delegate to them, once, by hand.",
            "dns",
            "DNSManagedZone",
            called,
            site,
            wave=names.WAVE_REST,
            spec={
                "dnsName": Note(f"{zone}.", "immutable"),
                "description": f"Dify {site.name}",
                "visibility": "public",
                "dnssecConfig": {"state": "on"},
            },
        ),
        resource(
            "The domain, by reference to the address: nobody copies it.",
            "dns",
            "DNSRecordSet",
            f"{called}.{environment.domain}",
            site,
            spec={
                "managedZoneRef": ref(called),
                "name": f"{environment.domain}.",
                "type": "A",
                "ttl": 300,
                "rrdatasRefs": [{"kind": "ComputeAddress", "name": names.ADDRESS}],
            },
        ),
    ]
    return Concern("dns", "The public zone, and where the domain is found.", objects if environment.dns.managed else [])
