"""cloud-sql.yaml: PostgreSQL for Dify and its plugin daemon."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import database, secrets
from dify_gitops.catalogue.google import DAYS, READ_REPLICA, SQL_EDITIONS
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import object_name, ref, resource
from dify_gitops.gcp.schedule import utc

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

VERSION = "POSTGRES_15"
_MAINTENANCE_DAY, _MAINTENANCE_TIME = "SUNDAY", "04:00"  # an hour after the default time of the backup

# All values are text. Sources: CIS Google Cloud Foundation Benchmark 6.2; max_connections is the input's.
_FLAGS: dict[str, Any] = {
    "cloudsql.iam_authentication": Note("on", "people log in as themselves, without a password"),
    "cloudsql.enable_pgaudit": Note("on", "at hand: CREATE EXTENSION pgaudit and the flag pgaudit.log start it"),
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": Note("-1", "it would log users' data with slow statements: see query insights"),
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
    "log_temp_files": "0",
}


def _network(environment: Environment) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "ipv4Enabled": Note(False, "no public address"),
        "privateNetworkRef": ref(names.NETWORK),
        "allocatedIpRange": names.PRIVATE_SERVICES,
        "sslMode": "ENCRYPTED_ONLY",
        "enablePrivatePathForGoogleCloudServices": False,
    }
    if environment.database.private_service_connect:
        settings["pscConfig"] = [{"pscEnabled": True, "allowedConsumerProjects": [environment.project]}]
    return settings


def _maintenance(environment: Environment) -> dict[str, Any]:
    start = utc(_MAINTENANCE_TIME, environment.time_zone).whole
    return {
        "day": Note(DAYS.index(start.day(_MAINTENANCE_DAY)) + 1, f"{start.day(_MAINTENANCE_DAY).capitalize()}"),
        "hour": Note(start.hour, f"{start.said}, a {_MAINTENANCE_DAY.capitalize()}"),
        "updateTrack": "stable",
    }


def _settings(environment: Environment) -> dict[str, Any]:
    """What the instance and its replica have in common."""
    wanted = environment.database
    return {
        "edition": next(edition for prefix, edition in SQL_EDITIONS.items() if wanted.tier.startswith(prefix)),
        "tier": wanted.tier,
        "diskType": Note("PD_SSD", "immutable"),
        "diskSize": wanted.disk,
        "diskAutoresize": True,
        "connectorEnforcement": Note("REQUIRED", "only through the Cloud SQL Auth Proxy"),
        "ipConfiguration": _network(environment),
        "databaseFlags": [
            {
                "name": "max_connections",
                "value": Note(str(wanted.max_connections), "all pools together stay below: environments/*.yaml"),
            },
            *({"name": name, "value": value} for name, value in _FLAGS.items()),
        ],
        "insightsConfig": {
            "queryInsightsEnabled": True,
            "queryStringLength": 1024,
            "recordApplicationTags": True,
            "recordClientAddress": False,
        },
    }


_GROWN = {names.UNMANAGED: Note("spec.settings.diskSize", "the disk grows by itself; it must not be shrunk back")}


def _instance(site: Site) -> Manifest:
    environment = site.environment
    wanted = environment.database
    backup = utc(wanted.backup_time, environment.time_zone)
    common = _settings(environment)  # edition and tier come first: what stands twice below stays where it stood first
    return resource(
        "Both databases. REGIONAL keeps a standby in a second zone, which takes over by itself."
        if wanted.availability == "REGIONAL"
        else "Both databases, in one zone: a failure takes them away until it is over.",
        "sql",
        "SQLInstance",
        Note(wanted.instance, "the suffix is a generation: Google may keep a deleted name for days"),
        site,
        wave=names.WAVE_INSTANCES,
        annotations=_GROWN,
        spec={
            "databaseVersion": VERSION,
            "region": Note(environment.region, "immutable, although Config Connector does not object"),
            "settings": {
                "edition": common["edition"],
                "tier": common["tier"],
                "availabilityType": wanted.availability,
                "deletionProtectionEnabled": environment.deletion_protection,
                "diskAutoresizeLimit": Note(wanted.disk_limit, "GB; an alert comes at 80 %"),
                **common,
                "backupConfiguration": {
                    "enabled": True,
                    "startTime": Note(backup.clock, backup.said),
                    "pointInTimeRecoveryEnabled": True,
                    "transactionLogRetentionDays": Note(7, "how far back a point in time may lie; 7 is the most"),
                    "backupRetentionSettings": {"retainedBackups": wanted.backups, "retentionUnit": "COUNT"},
                },
                "maintenanceWindow": _maintenance(environment),
            },
        },
    )


def _replica(site: Site) -> Manifest:
    environment = site.environment
    wanted = environment.database
    return resource(
        "For readers such as reports. It is no backup: a deleted row is deleted here too.",
        "sql",
        "SQLInstance",
        names.replica(wanted.instance),
        site,
        wave=names.WAVE_CONTENTS,
        annotations=_GROWN,
        spec={
            "databaseVersion": VERSION,
            "region": environment.region,
            "instanceType": READ_REPLICA,
            "masterInstanceRef": ref(wanted.instance),
            "settings": {
                **_settings(environment),
                "availabilityType": "ZONAL",
                "deletionProtectionEnabled": environment.deletion_protection,
            },
        },
    )


def _database(site: Site, name: str, who: str, password: tuple[str, str]) -> list[Manifest]:
    """A database with its user, which has the same name; ``password`` is (Secret, key).

    Neither can move to another instance: so their objects are called after theirs, and a new one gets new objects.
    """
    instance = site.environment.database.instance
    label = f"{instance}-{object_name(name)}"
    secret, key = password
    return [
        resource(
            f"Database of {who}.",
            "sql",
            "SQLDatabase",
            label,
            site,
            wave=names.WAVE_CONTENTS,
            spec={
                "resourceID": name,
                "instanceRef": ref(instance),
                "charset": "UTF8",
                "collation": "en_US.UTF8",
                "deletionPolicy": Note("ABANDON", "never dropped from here"),
            },
        ),
        resource(
            f"User of {who}. Its password is born in the cluster; nobody has seen it.",
            "sql",
            "SQLUser",
            label,
            site,
            wave=names.WAVE_CONTENTS,
            spec={
                "resourceID": name,
                "instanceRef": ref(instance),
                "type": "BUILT_IN",
                "password": {"valueFrom": {"secretKeyRef": {"name": secret, "key": key}}},
            },
        ),
    ]


def _endpoint(site: Site) -> list[Manifest]:
    """The Private Service Connect endpoint: its address at once, the rest when the instance has said where it is."""
    environment = site.environment
    wanted = environment.database.private_service_connect
    if not wanted:
        return []
    name = f"{environment.database.instance}-endpoint"
    region, project = environment.region, environment.project
    # The last address of a subnet that is free: https://cloud.google.com/vpc/docs/subnets#unusable-ip-addresses-in-every-subnet
    address = str(IPv4Network(environment.network.nodes)[-3])
    found = [
        resource(
            "Fixed address of the database's endpoint in the nodes' subnet.",
            "compute",
            "ComputeAddress",
            name,
            site,
            wave=names.WAVE_INSTANCES,
            spec={
                "location": region,
                "addressType": "INTERNAL",
                "purpose": "GCE_ENDPOINT",
                "address": address,
                "subnetworkRef": ref(names.SUBNET),
            },
        )
    ]
    if not (wanted.service_attachment and wanted.dns_name):
        return found
    return [
        *found,
        resource(
            "The endpoint. Google's side of it has no reference kind: its name was read from the instance's status.",
            "compute",
            "ComputeForwardingRule",
            name,
            site,
            wave=names.WAVE_CONTENTS,
            spec={
                "location": region,
                "loadBalancingScheme": Note("", "Private Service Connect wants it empty, not absent"),
                "networkRef": ref(names.NETWORK),
                "ipAddress": {
                    "addressRef": {
                        "external": Note(
                            f"https://www.googleapis.com/compute/v1/projects/{project}/regions/{region}/addresses/{name}",
                            "by name it would become the bare address, which is refused here",
                        )
                    }
                },
                "target": {"serviceAttachmentRef": {"external": wanted.service_attachment}},
            },
        ),
        resource(
            "Connectors look the instance up by the name that its certificate carries.",
            "dns",
            "DNSManagedZone",
            name,
            site,
            wave=names.WAVE_CONTENTS,
            spec={
                "dnsName": wanted.dns_name,
                "description": "Private Service Connect endpoint of Cloud SQL",
                "visibility": "private",
                "privateVisibilityConfig": {"networks": [{"networkRef": ref(names.NETWORK)}]},
            },
        ),
        resource(
            "The same name, to the endpoint's address.",
            "dns",
            "DNSRecordSet",
            name,
            site,
            spec={
                "managedZoneRef": ref(name),
                "name": wanted.dns_name,
                "type": "A",
                "ttl": 300,
                "rrdatasRefs": [{"kind": "ComputeAddress", "name": name}],
            },
        ),
    ]


def concern(site: Site) -> Concern:
    """Instance, optional replica and endpoint, databases and users."""
    dify = (secrets.DATABASE, "password")
    plugin = (secrets.PLUGIN_DATABASE, "password")
    return Concern(
        "cloud-sql",
        "PostgreSQL for Dify and its plugin daemon. Data lives here: read twice before you change it.",
        [
            _instance(site),
            *([_replica(site)] if site.environment.database.read_replica else []),
            *_database(site, database.DIFY.name, "Dify", dify),
            *_database(site, database.PLUGIN.name, "the plugin daemon", plugin),
            *_endpoint(site),
        ],
    )
