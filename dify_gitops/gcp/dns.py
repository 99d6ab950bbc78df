"""dns.yaml: the public zone and the record of the domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Environment


def zone_of(environment: Environment) -> str:
    """The DNS name of the public zone."""
    return environment.dns.zone or environment.domain


def zone_name(environment: Environment) -> str:
    """The name of its object. It cannot change, so it says the zone: another zone is another object.

    Google takes 63 characters.
    """
    return f"zone-{zone_of(environment).replace('.', '-')}"[:63].rstrip("-")


def concern(site: Site) -> Concern:
    """Zone and record; nothing where DNS lives elsewhere."""
    environment = site.environment
    zone = zone_of(environment)
    called = zone_name(environment)
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
