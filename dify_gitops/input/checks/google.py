"""Google Cloud: zones of the region, locks, DNS, what Google accepts as a label, values that only go together."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Final

from dify_gitops.catalogue.google import HYPERDISK_ONLY, LABEL_KEY, LABEL_VALUE, WIDEST_OPERATORS
from dify_gitops.catalogue.secrets import STORED
from dify_gitops.input.checks import Complaint
from dify_gitops.input.named_secrets import named_secrets

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment, Platform

_LEAST_ZONES: Final = 2
_OWN: Final = frozenset(entry.store_name for entry in STORED)


def zones(environment: Environment) -> Complaints:
    """Zones lie in the region, once each, and survive the loss of one."""
    named = environment.cluster.zones
    for number, zone in enumerate(named):
        path = ("cluster", "zones", number)
        if not zone.startswith(f"{environment.region}-"):
            yield Complaint(path, f"{zone} is not in {environment.region}", also=(("region",),))
        elif zone in named[:number]:
            yield Complaint(path, f"{zone} stands there twice")
    if named and len(set(named)) < _LEAST_ZONES and environment.high_availability:
        hint = "two or three zones, or none for three of the region"
        message = "one zone, but highAvailability is true"
        yield Complaint(("cluster", "zones"), message, hint, also=(("highAvailability",),))


def machine(environment: Environment) -> Complaints:
    """Nodes can mount the volumes of Weaviate and the plugin daemon."""
    series = environment.nodes.machine.partition("-")[0]
    if series in HYPERDISK_ONLY:
        message = f"machines of series {series} take no Persistent Disk, and the volumes here are some"
        yield Complaint(("nodes", "machine"), message, "another series, such as e2, n2, n2d, c3 or c3d")


def authorized(environment: Environment) -> Complaints:
    """Half of the internet is no authorised network."""
    for number, network in enumerate(environment.cluster.authorized_networks):
        if IPv4Network(network.cidr).prefixlen <= WIDEST_OPERATORS:
            message = f"{network.cidr} is too wide to reach the API server"
            yield Complaint(("cluster", "authorizedNetworks", number, "cidr"), message, "name your own ranges")


def protection(environment: Environment) -> Complaints:
    """Only a dev environment may lose its data by a deleted object."""
    if environment.profile == "prod" and not environment.deletion_protection:
        hint = "remove the key, or use profile: dev"
        message = "profile prod keeps its data locked"
        yield Complaint(("deletionProtection",), message, hint, also=(("profile",),))


def disk(environment: Environment) -> Complaints:
    """A disk that may grow to less than it is."""
    size, limit = environment.database.disk, environment.database.disk_limit
    if limit < size:
        message = f"{limit} is less than database.disk, {size}"
        yield Complaint(("database", "diskLimit"), message, "the disk grows up to this", also=(("database", "disk"),))


def endpoint(environment: Environment) -> Complaints:
    """The endpoint of the database needs both of the values that the instance reports, or is not there yet."""
    wanted = environment.database.private_service_connect
    if not wanted:
        return
    base = ("database", "privateServiceConnect")
    for key, there, other in (
        ("dnsName", wanted.dns_name, wanted.service_attachment),
        ("serviceAttachment", wanted.service_attachment, wanted.dns_name),
    ):
        if other and not there:
            yield Complaint((*base, key), "is missing", "both stand in the status of the SQLInstance", also=(base,))


def dns(environment: Environment) -> Complaints:
    """The domain lies in the zone."""
    zone = environment.dns.zone
    if zone and environment.domain != zone and not environment.domain.endswith(f".{zone}"):
        message = f"{zone} does not hold {environment.domain}"
        yield Complaint(("dns", "zone"), message, "the domain itself, or a domain above it", also=(("domain",),))
    if zone and not environment.dns.managed:
        hint = "remove it, or dns.managed: false"
        yield Complaint(("dns", "zone"), "is not managed here", hint, also=(("dns", "managed"),))


def edge(environment: Environment) -> Complaints:
    """Nobody is let in and kept out at once."""
    for number, cidr in enumerate(environment.edge.allow):
        if cidr in environment.edge.deny:
            path = ("edge", "allow", number)
            yield Complaint(path, f"{cidr} stands in edge.deny too", "keep one", also=(("edge", "deny"),))


def labels(platform: Platform) -> Complaints:
    """Labels without a slash also become labels in Google Cloud."""
    for key, value in platform.labels.items():
        if "/" in key:
            continue
        path = ("labels", key)
        hint = "lower-case letters, digits, '-' and '_'; a key with a domain and a slash stays in Kubernetes"
        if not re.fullmatch(LABEL_KEY, key):
            yield Complaint(path, f"{key} is no key of a label in Google Cloud", hint, about_key=True)
        elif not re.fullmatch(LABEL_VALUE, value):
            yield Complaint(path, f"{value} is no value of a label in Google Cloud", hint)


def secrets(environment: Environment) -> Complaints:
    """A secret that a person fills does not take a name that is ours."""
    for named in named_secrets(environment):
        if named.store_name in _OWN:
            message = f"{named.store_name} is made by this generator for something else"
            yield Complaint(named.path, message, "choose another name")
