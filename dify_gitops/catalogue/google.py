"""Google Cloud: the APIs that must be on, the roles that identities need, the kinds that hold data."""

from __future__ import annotations

# API → who needs it. The first three must be on before Config Connector can work at all.
APIS = {
    "serviceusage": "turns on the others",
    "cloudresourcemanager": "IAM of the project",
    "iam": "service accounts and their roles",
    "iamcredentials": "Workload Identity",
    "sts": "Workload Identity",
    "compute": "network, load balancer, Cloud Armor",
    "container": "GKE",
    "containersecurity": "security posture of the cluster",
    "gkebackup": "backup of volumes",
    "servicenetworking": "private services access",
    "sqladmin": "Cloud SQL, and its Auth Proxy",
    "redis": "Memorystore",
    "storage": "buckets",
    "secretmanager": "Secret Manager",
    "monitoring": "metrics, alerts, dashboards",
    "logging": "logs",
}
DNS_API = {"dns": "Cloud DNS"}
REGISTRY_API = {"artifactregistry": "the mirror of images"}
ENDPOINT_API = {"servicedirectory": "Private Service Connect registers its endpoints there"}

# Machine series without Persistent Disk: https://cloud.google.com/compute/docs/machine-resource#machine_type_comparison
HYPERDISK_ONLY = ("c4", "c4a", "c4d", "n4", "n4a", "n4d")

# Machine → edition of Cloud SQL: https://cloud.google.com/sql/docs/postgres/editions-intro
ENTERPRISE, ENTERPRISE_PLUS = "ENTERPRISE", "ENTERPRISE_PLUS"
READ_REPLICA = "READ_REPLICA_INSTANCE"  # the instanceType of Cloud SQL's replicas
SQL_EDITIONS = {"db-custom-": ENTERPRISE, "db-perf-optimized-": ENTERPRISE_PLUS}

# https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster#use_least_privilege_sa
NODE_ROLES = (
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
    "roles/monitoring.viewer",
    "roles/stackdriver.resourceMetadata.writer",
)
CLOUD_SQL_CLIENT = "roles/cloudsql.client"
REGISTRY_READER = "roles/artifactregistry.reader"
WORKLOAD_IDENTITY_USER = "roles/iam.workloadIdentityUser"
SERVICE_ACCOUNT_USER = "roles/iam.serviceAccountUser"

# Read and write objects; the second is the least that holds storage.buckets.get, which client libraries ask for.
BUCKET_ROLES = ("roles/storage.objectAdmin", "roles/storage.legacyBucketReader")

SECRET_READER = "roles/secretmanager.secretAccessor"  # noqa: S105 - a role, not a password
SECRET_ROLES = (  # External Secrets reads the secret, looks whether it has a value, and gives it its first one
    SECRET_READER,
    "roles/secretmanager.viewer",
    "roles/secretmanager.secretVersionAdder",
)

# Google service accounts of the platform, without their prefix: without them no node starts, and nothing is changed.
NODES, CONFIG_CONNECTOR = "nodes", "config-connector"
PLATFORM = (NODES, CONFIG_CONNECTOR)

# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
LABEL_KEY, LABEL_VALUE = r"[a-z][a-z0-9_-]{0,62}", r"[a-z0-9_-]{0,63}"
DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")  # of maintenance windows
MAX_PODS = 110  # of a node, GKE's default; a /24 of the pods' range each
LAST_PRIORITY = 2147483647  # of a rule of Cloud Armor: the default rule, which every policy must have
WIDEST_OPERATORS = 8  # bits of a range that may not reach the API server: CIS GKE Benchmark 5.6.3

PROJECT_IAM_ADMIN = "roles/resourcemanager.projectIamAdmin"
# Config Connector's own roles on the project, for the kinds in this repository; role → what it manages with it.
CONFIG_CONNECTOR_ROLES = {
    "roles/serviceusage.serviceUsageAdmin": "APIs",
    "roles/compute.networkAdmin": "network, NAT, addresses",
    "roles/compute.securityAdmin": "firewall, Cloud Armor, SSL policies",
    "roles/servicenetworking.networksAdmin": "private services access",
    "roles/container.admin": "cluster and node pools",
    "roles/cloudsql.admin": "Cloud SQL",
    "roles/redis.admin": "Memorystore",
    "roles/storage.admin": "buckets and who may use them",
    "roles/secretmanager.admin": "secrets and who may read them",
    "roles/iam.serviceAccountAdmin": "service accounts and who may act as them",
    PROJECT_IAM_ADMIN: "roles on the project, audit logs",
    "roles/dns.admin": "Cloud DNS",
    "roles/monitoring.editor": "alerts, dashboards, uptime checks",
    "roles/logging.configWriter": "log buckets and sinks",
    "roles/gkebackup.admin": "backup plans",
}
# More of them, for options.
REGISTRY_ROLES = {"roles/artifactregistry.admin": "who may read the mirror of images"}
ENDPOINT_ROLES = {"roles/servicedirectory.editor": "endpoints of Private Service Connect"}

# What is gone for good, or takes everything else with it, when it is deleted. Each carries all locks.
LOCKED_KINDS = frozenset(
    "SQLInstance SQLDatabase SQLUser RedisInstance StorageBucket SecretManagerSecret KMSKeyRing KMSCryptoKey "
    "DNSManagedZone ContainerCluster ContainerNodePool ComputeNetwork ComputeSubnetwork ComputeAddress "
    "ServiceNetworkingConnection".split()
)
ALWAYS_LOCKED = frozenset(("Namespace", "ConfigConnector", "ConfigConnectorContext"))  # whatever the input says

SANDBOX_NODES = 3  # with gVisor, at most

IAP = "35.235.240.0/20"  # https://cloud.google.com/iap/docs/using-tcp-forwarding: where SSH comes from

# Zones of a region are its letters a, b and c but for these: https://cloud.google.com/compute/docs/regions-zones
_OTHER_ZONES = {"europe-west1": "bcd", "us-east1": "bcd"}


def zones(region: str) -> tuple[str, ...]:
    """Three zones of a region."""
    return tuple(f"{region}-{letter}" for letter in _OTHER_ZONES.get(region, "abc"))
