"""Rules over names: whatever an object of Config Connector refers to is there, of the right kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.input.buckets import files_bucket
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import maps, text, texts
from dify_gitops.rules.config import ANY_KEY, produced
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.google.links import SECRET, links, secondary_ranges, subnet_of, target
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.google.estate import Estate

_ELSEWHERE = ("Project", SECRET)  # judged by rules of their own


@rule(
    "google-reference",
    why="Config Connector waits for ever for what is not there, and what refers to it is never made",
    remedy="correct the name, or add the object",
)
def google_reference(estate: Estate) -> Iterator[Flaw]:
    """References, and names that stand for another resource."""
    for link in links(estate):
        if link.kind in _ELSEWHERE or target(estate, link):
            continue
        known = estate.of(link.kind) if link.kind else estate.resources
        near = nearest(link.name, [real_name(item) if link.real else item.name for item in known])
        what = f"{link.kind or 'object'} {link.name if link.real else f'{link.namespace}/{link.name}'}"
        yield Flaw(link.source, link.field, f"there is no {what}", meant(near))


@rule(
    "google-replica",
    why="Cloud SQL makes no replica of another version, and none of itself",
    remedy="name the primary instance, and give both its version",
)
def google_replica(estate: Estate) -> Iterator[Flaw]:
    """A replica has another instance's version."""
    for item in estate.of("SQLInstance"):
        name = text(item.data, "spec", "masterInstanceRef", "name")
        primary = estate.named("SQLInstance", item.namespace, name)
        version = text(item.data, "spec", "databaseVersion")
        wanted = text(primary.data, "spec", "databaseVersion") if primary else ""
        if primary is item:
            yield Flaw(item, "spec.masterInstanceRef.name", "is the instance itself")
        elif version and wanted and version != wanted:
            yield Flaw(item, "spec.databaseVersion", f"{version} is not that of {primary}")


@rule(
    "google-secret-exists",
    why="the resource is not made until somebody puts this Secret into the namespace",
    remedy="use a Secret and key of the inventory (dify_gitops/catalogue/secrets.py), or an ExternalSecret of your own",
)
def google_secret_exists(estate: Estate) -> Iterator[Flaw]:
    """Secrets that Config Connector reads are made by an ExternalSecret of the same folder, with that key."""
    known = produced(estate)
    for link in links(estate):
        secret, _, key = link.name.partition(" ")
        keys = known.get((link.namespace, secret), set())
        if link.kind == SECRET and key not in keys and ANY_KEY not in keys:
            named = [
                f"{name} {each}"
                for (space, name), all_keys in known.items()
                for each in all_keys
                if space == link.namespace
            ]
            message = f"there is no key {key} of a Secret {link.namespace}/{secret}"
            yield Flaw(link.source, link.field, message, meant(nearest(link.name, named)))


@rule(
    "google-range-name",
    why="GKE looks the ranges of pods and Services up by name in the subnet",
    remedy="use the name of a secondary range of the cluster's subnet",
)
def google_range_name(estate: Estate) -> Iterator[Flaw]:
    """The cluster's ranges are secondary ranges of its subnet, and not the same one."""
    for cluster in estate.of("ContainerCluster"):
        subnet = subnet_of(estate, cluster)
        known = secondary_ranges(subnet) if subnet else {}
        used: dict[str, str] = {}
        for key in ("clusterSecondaryRangeName", "servicesSecondaryRangeName"):
            name = text(cluster.data, "spec", "ipAllocationPolicy", key)
            field = f"spec.ipAllocationPolicy.{key}"
            if subnet and name and name not in known:
                yield Flaw(cluster, field, f"{subnet} has no secondary range {name}", meant(nearest(name, known)))
            elif name and name in used:
                yield Flaw(cluster, field, f"is the range of {used[name]} too")
            used[name] = key


@rule(
    "google-node-tag",
    why="a firewall rule for a tag that no node carries lets nobody in, and says nothing",
    remedy="use a tag of a node pool",
)
def google_node_tag(estate: Estate) -> Iterator[Flaw]:
    """Tags that firewall rules aim at are no misspelt tags of a node pool; machines of others have others."""
    known = {tag for pool in estate.of("ContainerNodePool") for tag in texts(pool.data, "spec", "nodeConfig", "tags")}
    for item in estate.of("ComputeFirewall"):
        for tag in texts(item.data, "spec", "targetTags"):
            near = nearest(tag, known)
            if tag not in known and near:
                yield Flaw(item, "spec.targetTags", f"no node pool has the tag {tag}", meant(near))


@rule(
    "google-own-account",
    why="Config Connector cannot act as an account that is not there, and then nothing here changes any more",
    remedy="name a service account of this folder",
)
def google_own_account(estate: Estate) -> Iterator[Flaw]:
    """Config Connector's context names an account that is rendered here."""
    known = {estate.email(item) for item in estate.of("IAMServiceAccount")}
    for item in estate.objects:
        if item.kind == "ConfigConnectorContext":
            email = text(item.data, "spec", "googleServiceAccount")
            if email not in known:
                near = nearest(email, known)
                yield Flaw(item, "spec.googleServiceAccount", f"there is no account {email}", meant(near))


@rule(
    "google-dns-name",
    why="a record outside of its zone is refused, and a domain without a record is found by nobody",
    remedy="make the record's name end in the zone's; give the domain of the environment a record for the address",
)
def google_dns_name(estate: Estate) -> Iterator[Flaw]:
    """Records lie in their zone; a public zone that holds the environment's domain has its record."""
    named = set()
    for item in estate.of("DNSRecordSet"):
        zone = estate.named("DNSManagedZone", item.namespace, text(item.data, "spec", "managedZoneRef", "name"))
        name, above = text(item.data, "spec", "name"), text(zone.data, "spec", "dnsName") if zone else ""
        named.add(name)
        if above and name != above and not name.endswith(f".{above}"):
            yield Flaw(item, "spec.name", f"{name} is not in {above}")
    domain = f"{estate.environment.domain}."
    for zone in estate.of("DNSManagedZone"):
        above = text(zone.data, "spec", "dnsName")
        public = text(zone.data, "spec", "visibility") != "private"
        if public and (domain == above or domain.endswith(f".{above}")) and domain not in named:
            yield Flaw(zone, "spec.dnsName", f"holds {domain}, but no record has this name")


@rule(
    "google-domain",
    why="browsers refuse what another origin serves, and a check of another host watches nothing of ours",
    remedy="use the domain of the environment",
)
def google_domain(estate: Estate) -> Iterator[Flaw]:
    """CORS of the files' bucket lets the environment's domain in; the uptime checks of its name ask for it."""
    domain = estate.environment.domain
    for item in estate.of("StorageBucket"):
        entries = maps(item.data, "spec", "cors") if item.name == files_bucket(estate.environment) else []
        if entries and not any(f"https://{domain}" in texts(entry, "origin") for entry in entries):
            yield Flaw(item, "spec.cors[0].origin", f"lacks https://{domain}")
    for item in estate.of("MonitoringUptimeCheckConfig"):
        host = text(item.data, "spec", "monitoredResource", "filterLabels", "host")
        if host and host != domain and item.name.endswith(f".{domain}"):
            yield Flaw(item, "spec.monitoredResource.filterLabels.host", f"{host} is not {domain}")
