"""What stands in config-connector/, read as the list of requirements: rendered by the real kustomize."""

from __future__ import annotations

import datetime as dt
import json
import re
from operator import itemgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from repo import Cluster, Object, build, environment, make

from dify_gitops.catalogue.google import ALWAYS_LOCKED, LOCKED_KINDS
from dify_gitops.catalogue.secrets import INVENTORY
from dify_gitops.input.load import load_repository
from dify_gitops.kinds.constraints.paths import values
from dify_gitops.rules import examine_google

PROJECT = "acme-dify-prod"
CORE = "core.cnrm.cloud.google.com"


@pytest.fixture(scope="session")
def prod_google(tree: Path) -> Cluster:
    return Cluster(build(tree, "config-connector/prod"))


@pytest.fixture(scope="session")
def dev_google(tree: Path) -> Cluster:
    return Cluster(build(tree, "config-connector/dev"))


def option(tmp_path: Path, **keys: str) -> Cluster:
    """Production with other lines in its input."""
    return Cluster(build(make(tmp_path, prod=environment(**keys)), "config-connector/prod"))


def read(item: Object, path: str) -> Any:
    """The value under a path, a list of values where it leads through a list, None where nothing is."""
    found = [value for _, value in values(item, path)]
    return found if "[]" in path else found[0] if found else None


# (object, path, value) — production, every number that was asked for.
REQUIREMENTS = [
    # network
    ("ComputeNetwork dify", "spec.autoCreateSubnetworks", False),
    ("ComputeNetwork dify", "spec.routingMode", "REGIONAL"),
    ("ComputeSubnetwork dify", "spec.logConfig.flowSampling", 0.5),
    ("ComputeFirewall dify-control-plane", "spec.targetTags", ["dify-node"]),
    ("ComputeFirewall dify-deny", "spec.priority", 65000),
    ("ComputeSubnetwork dify", "spec.ipCidrRange", "10.0.0.0/16"),
    ("ComputeSubnetwork dify", "spec.secondaryIpRange[].ipCidrRange", ["10.1.0.0/16", "10.2.0.0/16"]),
    ("ComputeSubnetwork dify", "spec.privateIpGoogleAccess", True),
    ("ComputeSubnetwork dify", "spec.logConfig.metadata", "INCLUDE_ALL_METADATA"),
    ("ComputeAddress dify-private-services", "spec.purpose", "VPC_PEERING"),
    ("ComputeAddress dify-private-services", "spec.address", "10.3.0.0"),
    ("ComputeAddress dify-private-services", "spec.prefixLength", 16),
    ("ServiceNetworkingConnection dify-private-services", "spec.service", "servicenetworking.googleapis.com"),
    ("ComputeRouterNAT dify", "spec.enableDynamicPortAllocation", True),
    ("ComputeRouterNAT dify", "spec.logConfig.filter", "ERRORS_ONLY"),
    ("ComputeRouterNAT dify", "spec.natIpAllocateOption", "AUTO_ONLY"),
    ("ComputeFirewall dify-internal", "spec.sourceRanges[]", ["10.0.0.0/16", "10.1.0.0/16"]),
    ("ComputeFirewall dify-iap-ssh", "spec.sourceRanges[]", ["35.235.240.0/20"]),
    ("ComputeFirewall dify-iap-ssh", "spec.allow[].ports", [["22"]]),
    ("ComputeFirewall dify-load-balancer", "spec.sourceRanges[]", ["35.191.0.0/16", "130.211.0.0/22"]),
    ("ComputeFirewall dify-control-plane", "spec.sourceRanges[]", ["172.16.0.0/28"]),
    ("ComputeFirewall dify-control-plane", "spec.allow[].ports", [["6443", "9443"]]),
    ("ComputeFirewall dify-deny", "spec.deny[].protocol", ["all"]),
    ("ComputeFirewall dify-deny", "spec.logConfig.metadata", "INCLUDE_ALL_METADATA"),
    # cluster
    ("ContainerCluster dify", "spec.location", "asia-northeast1"),
    ("ContainerCluster dify", "spec.nodeLocations[]", [f"asia-northeast1-{zone}" for zone in "abc"]),
    ("ContainerCluster dify", "spec.datapathProvider", "ADVANCED_DATAPATH"),
    ("ContainerCluster dify", "spec.privateClusterConfig.enablePrivateNodes", True),
    ("ContainerCluster dify", "spec.privateClusterConfig.enablePrivateEndpoint", True),
    ("ContainerCluster dify", "spec.controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", True),
    ("ContainerCluster dify", "spec.masterAuthorizedNetworksConfig.cidrBlocks", None),
    ("ContainerCluster dify", "spec.workloadIdentityConfig.workloadPool", f"{PROJECT}.svc.id.goog"),
    ("ContainerCluster dify", "spec.enableShieldedNodes", True),
    ("ContainerCluster dify", "spec.releaseChannel.channel", "REGULAR"),
    ("ContainerCluster dify", "spec.maintenancePolicy.recurringWindow.recurrence", "FREQ=WEEKLY;BYDAY=SA,SU"),
    ("ContainerCluster dify", "spec.monitoringConfig.managedPrometheus.enabled", True),
    ("ContainerCluster dify", "spec.addonsConfig.gkeBackupAgentConfig.enabled", True),
    ("ContainerCluster dify", "spec.securityPostureConfig.mode", "BASIC"),
    ("ContainerCluster dify", "spec.costManagementConfig.enabled", True),
    ("ContainerNodePool dify-a", "spec.autoscaling.totalMinNodeCount", 1),
    ("ContainerNodePool dify-a", "spec.autoscaling.totalMaxNodeCount", 10),
    ("ContainerNodePool dify-a", "spec.autoscaling.maxNodeCount", None),
    ("ContainerNodePool dify-a", "spec.nodeConfig.machineType", "e2-standard-4"),
    ("ContainerNodePool dify-a", "spec.nodeConfig.serviceAccountRef.name", "dify-nodes"),
    ("ContainerNodePool dify-a", "spec.nodeConfig.workloadMetadataConfig.mode", "GKE_METADATA"),
    ("ContainerNodePool dify-a", "spec.upgradeSettings.strategy", "SURGE"),
    # Cloud SQL
    ("ContainerCluster dify", "spec.enableIntranodeVisibility", True),
    ("ContainerNodePool dify-a", "spec.initialNodeCount", 1),
    ("ContainerNodePool dify-a", "spec.nodeConfig.oauthScopes", ["https://www.googleapis.com/auth/cloud-platform"]),
    ("SQLInstance dify-postgres-a", "spec.databaseVersion", "POSTGRES_15"),
    ("SQLInstance dify-postgres-a", "spec.settings.insightsConfig.recordClientAddress", False),
    ("SQLInstance dify-postgres-a", "spec.settings.availabilityType", "REGIONAL"),
    ("SQLInstance dify-postgres-a", "spec.settings.tier", "db-custom-2-4096"),
    ("SQLInstance dify-postgres-a", "spec.settings.diskType", "PD_SSD"),
    ("SQLInstance dify-postgres-a", "spec.settings.diskSize", 100),
    ("SQLInstance dify-postgres-a", "spec.settings.diskAutoresize", True),
    ("SQLInstance dify-postgres-a", "spec.settings.diskAutoresizeLimit", 500),
    ("SQLInstance dify-postgres-a", "spec.settings.backupConfiguration.startTime", "03:00"),
    ("SQLInstance dify-postgres-a", "spec.settings.backupConfiguration.pointInTimeRecoveryEnabled", True),
    (
        "SQLInstance dify-postgres-a",
        "spec.settings.backupConfiguration.backupRetentionSettings",
        {"retainedBackups": 30, "retentionUnit": "COUNT"},
    ),
    ("SQLInstance dify-postgres-a", "spec.settings.backupConfiguration.transactionLogRetentionDays", 7),
    ("SQLInstance dify-postgres-a", "spec.settings.ipConfiguration.sslMode", "ENCRYPTED_ONLY"),
    ("SQLInstance dify-postgres-a", "spec.settings.ipConfiguration.ipv4Enabled", False),
    ("SQLInstance dify-postgres-a", "spec.settings.ipConfiguration.privateNetworkRef.name", "dify"),
    ("SQLInstance dify-postgres-a", "spec.settings.connectorEnforcement", "REQUIRED"),
    ("SQLInstance dify-postgres-a", "spec.settings.insightsConfig.queryInsightsEnabled", True),
    ("SQLInstance dify-postgres-a", "spec.settings.maintenanceWindow", {"day": 7, "hour": 4, "updateTrack": "stable"}),
    ("SQLInstance dify-postgres-a", "spec.settings.deletionProtectionEnabled", True),
    ("SQLDatabase dify-postgres-a-dify", "spec.deletionPolicy", "ABANDON"),
    ("SQLDatabase dify-postgres-a-dify-plugin", "spec.resourceID", "dify_plugin"),
    ("SQLUser dify-postgres-a-dify", "spec.password.valueFrom.secretKeyRef.name", "dify-database"),
    ("SQLUser dify-postgres-a-dify-plugin", "spec.password.valueFrom.secretKeyRef.name", "dify-plugin-database"),
    # Memorystore
    ("RedisInstance dify-redis-a", "spec.redisVersion", "REDIS_6_X"),
    ("RedisInstance dify-redis-a", "spec.memorySizeGb", 1),
    ("RedisInstance dify-redis-a", "spec.tier", "STANDARD_HA"),
    ("RedisInstance dify-redis-a", "spec.authEnabled", True),
    ("RedisInstance dify-redis-a", "spec.transitEncryptionMode", "SERVER_AUTHENTICATION"),
    ("RedisInstance dify-redis-a", "spec.connectMode", "PRIVATE_SERVICE_ACCESS"),
    ("RedisInstance dify-redis-a", "spec.maintenancePolicy.weeklyMaintenanceWindow[].day", ["SUNDAY"]),
    ("RedisInstance dify-redis-a", "spec.redisConfigs", {"maxmemory-policy": "noeviction"}),
    # Storage
    (f"StorageBucket {PROJECT}-dify", "spec.location", "ASIA"),
    (f"StorageBucket {PROJECT}-dify", "spec.storageClass", "STANDARD"),
    (f"StorageBucket {PROJECT}-dify", "spec.versioning.enabled", True),
    (f"StorageBucket {PROJECT}-dify", "spec.lifecycleRule[].action.storageClass", ["NEARLINE", "COLDLINE"]),
    (f"StorageBucket {PROJECT}-dify", "spec.lifecycleRule[].condition.age", [90, 365]),
    (f"StorageBucket {PROJECT}-dify", "spec.lifecycleRule[].condition.daysSinceNoncurrentTime", [30]),
    (f"StorageBucket {PROJECT}-dify", "spec.cors[].origin", [["https://dify.prod.acme.example"]]),
    (f"StorageBucket {PROJECT}-dify", "spec.uniformBucketLevelAccess", True),
    (f"StorageBucket {PROJECT}-dify", "spec.publicAccessPrevention", "enforced"),
    (f"StorageBucket {PROJECT}-dify", "spec.softDeletePolicy.retentionDurationSeconds", 604800),
    (f"StorageBucket {PROJECT}-dify-weaviate", "spec.publicAccessPrevention", "enforced"),
    # Edge
    ("ComputeAddress dify", "spec.location", "global"),
    ("ComputeSSLPolicy dify", "spec.minTlsVersion", "TLS_1_2"),
    ("ComputeSecurityPolicy dify", "spec.adaptiveProtectionConfig.layer7DdosDefenseConfig.enable", True),
    ("ComputeSecurityPolicy dify", "spec.rule[].rateLimitOptions.rateLimitThreshold.count", [1200]),
    ("DNSManagedZone zone-dify-prod-acme-example", "spec.dnsName", "dify.prod.acme.example."),
    (
        "DNSRecordSet zone-dify-prod-acme-example.dify.prod.acme.example",
        "spec.rrdatasRefs[]",
        [{"kind": "ComputeAddress", "name": "dify"}],
    ),
    # Watching
    ("LoggingLogBucket dify", "spec.retentionDays", 30),
    ("ClusterPodMonitoring keda-operator", "spec.endpoints[].interval", ["30s"]),
    # Backup
    ("GKEBackupBackupPlan dify", "spec.backupSchedule.cronSchedule", "30 4 * * *"),
    ("GKEBackupBackupPlan dify", "spec.backupConfig.includeVolumeData", True),
    ("GKEBackupBackupPlan dify", "spec.retentionPolicy.backupRetainDays", 30),
    ("GKEBackupRestorePlan dify", "spec.backupPlanRef.name", "dify"),
    # Config Connector
    ("Namespace dify-infra", "metadata.annotations", {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}),
    (f"ConfigConnector configconnector.{CORE}", "spec", {"mode": "namespaced", "stateIntoSpec": "Absent"}),
    (f"ConfigConnectorContext configconnectorcontext.{CORE}", "spec.stateIntoSpec", "Absent"),
]


@pytest.mark.parametrize(("name", "path", "value"), REQUIREMENTS, ids=[f"{one[0]} {one[1]}" for one in REQUIREMENTS])
def test_production_has_what_was_asked_for(prod_google: Cluster, name: str, path: str, value: Any) -> None:
    kind, _, called = name.partition(" ")
    found = read(prod_google.get(kind, called), path)
    if kind == "Namespace":
        assert value.items() <= found.items()
        assert found["cnrm.cloud.google.com/project-id"] == PROJECT
    else:
        assert found == value


APIS = "compute container servicenetworking sqladmin redis storage secretmanager iam monitoring logging gkebackup dns"


def test_apis_are_on_and_stay_on(prod_google: Cluster) -> None:
    services = {item["metadata"]["name"]: item for item in prod_google.all("Service")}
    assert {f"{api}.googleapis.com" for api in APIS.split()} <= services.keys()
    for item in services.values():
        assert item["metadata"]["annotations"]["cnrm.cloud.google.com/disable-on-destroy"] == "false"


def flags(cluster: Cluster) -> dict[str, str]:
    instance = cluster.get("SQLInstance", "dify-postgres-a")
    return {flag["name"]: flag["value"] for flag in instance["spec"]["settings"]["databaseFlags"]}


def test_flags_are_text_and_hold_the_limit_of_connections(prod_google: Cluster, dev_google: Cluster) -> None:
    assert flags(prod_google)["max_connections"] == "200"
    assert flags(dev_google)["max_connections"] == "100"
    assert all(isinstance(value, str) for value in flags(prod_google).values())


def test_a_grown_disk_is_left_alone(prod_google: Cluster) -> None:
    notes = prod_google.get("SQLInstance", "dify-postgres-a")["metadata"]["annotations"]
    assert notes["cnrm.cloud.google.com/unmanaged"] == "spec.settings.diskSize"


@pytest.mark.parametrize("name", ["prod", "dev"])
def test_everything_that_holds_data_is_locked(name: str, prod_google: Cluster, dev_google: Cluster) -> None:
    cluster = {"prod": prod_google, "dev": dev_google}[name]
    locked = [item for item in cluster.objects if item["kind"] in LOCKED_KINDS | ALWAYS_LOCKED]
    assert {item["kind"] for item in locked} >= {"SQLInstance", "RedisInstance", "StorageBucket", "Namespace"}
    for item in locked:
        notes = item["metadata"]["annotations"]
        assert notes["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        assert item["kind"] in ALWAYS_LOCKED or notes["cnrm.cloud.google.com/deletion-policy"] == "abandon"


def test_only_a_line_of_a_dev_environment_unlocks_them(tmp_path: Path) -> None:
    text = environment("dev", deletionProtection="false")
    cluster = Cluster(build(make(tmp_path, dev=text), "config-connector/dev"))
    instance = cluster.get("SQLInstance", "dify-postgres-a")
    assert instance["spec"]["settings"]["deletionProtectionEnabled"] is False
    assert "cnrm.cloud.google.com/deletion-policy" not in instance["metadata"]["annotations"]
    assert "argocd.argoproj.io/sync-options" in cluster.get("Namespace", "dify-infra")["metadata"]["annotations"]


def test_dev_has_the_same_shape_at_trial_size(prod_google: Cluster, dev_google: Cluster) -> None:
    def shape(cluster: Cluster, name: str) -> set[str]:
        return {f"{item['kind']} {item['metadata']['name'].replace(name, 'NAME')}" for item in cluster.objects}

    assert shape(prod_google, "prod") == shape(dev_google, "dev")
    instance = dev_google.get("SQLInstance", "dify-postgres-a")["spec"]["settings"]
    assert (instance["tier"], instance["diskSize"], instance["availabilityType"]) == ("db-custom-1-3840", 20, "ZONAL")
    assert dev_google.get("RedisInstance", "dify-redis-a")["spec"]["tier"] == "BASIC"
    assert read(dev_google.get("ContainerNodePool", "dify-a"), "spec.autoscaling.totalMaxNodeCount") == 4


# --- identity --------------------------------------------------------------------------------------------------


def roles(cluster: Cluster, policy: str) -> dict[str, list[str]]:
    """``{role: members}`` of one policy; accounts by name."""
    spec = cluster.get("IAMPartialPolicy", policy)["spec"]
    return {
        binding["role"]: [
            member.get("member") or member["memberFrom"]["serviceAccountRef"]["name"] for member in binding["members"]
        ]
        for binding in spec["bindings"]
    }


def test_who_may_do_what(prod_google: Cluster) -> None:
    project = roles(prod_google, "project")
    clients = ["dify-api", "dify-beat", "dify-migration", "dify-plugin-daemon", "dify-worker"]
    assert project["roles/cloudsql.client"] == clients
    assert project["roles/logging.logWriter"] == project["roles/monitoring.metricWriter"] == ["dify-nodes"]
    files = ["dify-api", "dify-beat", "dify-worker"]
    both = ["roles/storage.objectAdmin", "roles/storage.legacyBucketReader"]
    backups = ["dify-weaviate", "dify-weaviate-backup"]
    for bucket, members in (("dify", files), ("dify-weaviate", backups)):
        found = roles(prod_google, f"bucket-{PROJECT}-{bucket}")
        assert [(role, found[role]) for role in both] == [(role, members) for role in both]
    reader = "roles/secretmanager.secretAccessor"
    for secret in prod_google.all("SecretManagerSecret"):
        found = roles(prod_google, f"secret-{secret['metadata']['name']}")
        expected = [reader, "roles/secretmanager.viewer", "roles/secretmanager.secretVersionAdder"]
        assert found == {role: ["dify-external-secrets"] for role in expected}


def test_only_config_connector_manages_the_project(prod_google: Cluster) -> None:
    for role, members in roles(prod_google, "project").items():
        if "admin" in role.lower() or "editor" in role:
            assert members == ["dify-config-connector"], role


def test_every_account_has_one_actor(prod_google: Cluster) -> None:
    pool = f"serviceAccount:{PROJECT}.svc.id.goog"
    actors = {
        "api": "dify/api",
        "beat": "dify/beat",
        "worker": "dify/worker",
        "migration": "dify/migration",
        "plugin-daemon": "dify/plugin-daemon",
        "weaviate": "dify/weaviate",
        "weaviate-backup": "dify/weaviate-backup",
        "external-secrets": "external-secrets/external-secrets",
        "config-connector": "cnrm-system/cnrm-controller-manager-dify-infra",
    }
    for account, who in actors.items():
        assert roles(prod_google, f"account-{account}") == {"roles/iam.workloadIdentityUser": [f"{pool}[{who}]"]}
    assert roles(prod_google, "account-nodes") == {"roles/iam.serviceAccountUser": ["dify-config-connector"]}
    accounts = {item["metadata"]["name"] for item in prod_google.all("IAMServiceAccount")}
    assert accounts == {f"dify-{name}" for name in (*actors, "nodes")}


def test_audit_logs_cover_what_matters(prod_google: Cluster) -> None:
    audited = {item["spec"]["service"].partition(".")[0] for item in prod_google.all("IAMAuditConfig")}
    assert {"iam", "secretmanager", "cloudsql", "storage"} <= audited


def test_every_secret_has_a_place_and_none_has_a_value(prod_google: Cluster) -> None:
    stored = {f"{entry.secret}-{entry.key}" for entry in INVENTORY if entry.stored and not entry.optional}
    found = {item["metadata"]["name"]: item for item in prod_google.all("SecretManagerSecret")}
    assert found.keys() == stored
    assert len(stored) == 10
    for item in found.values():
        assert item["metadata"]["labels"]["managed-by"] == "external-secrets"
        assert item["spec"]["replication"] == {"automatic": True}
    kinds = {item["kind"] for item in prod_google.objects}
    assert not kinds & {"SecretManagerSecretVersion", "Secret", "IAMServiceAccountKey"}


def test_the_mail_server_s_secret_is_filled_by_a_person(tmp_path: Path) -> None:
    smtp = "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: Acme_SMTP}"
    cluster = option(tmp_path, smtp=smtp)
    secret = cluster.get("SecretManagerSecret", "acme-smtp")
    assert secret["spec"]["resourceID"] == "Acme_SMTP"
    assert "managed-by" not in secret["metadata"]["labels"]
    assert list(roles(cluster, "secret-acme-smtp")) == ["roles/secretmanager.secretAccessor"]


# --- options ---------------------------------------------------------------------------------------------------


def test_fixed_addresses_of_nat(tmp_path: Path) -> None:
    cluster = option(tmp_path, nat="{addresses: 2}")
    nat = cluster.get("ComputeRouterNAT", "dify")["spec"]
    assert nat["natIpAllocateOption"] == "MANUAL_ONLY"
    assert [address["name"] for address in nat["natIps"]] == ["dify-nat-1", "dify-nat-2"]
    assert cluster.get("ComputeAddress", "dify-nat-2")["spec"]["location"] == "asia-northeast1"


def test_authorized_networks_take_the_place_of_the_dns_endpoint(tmp_path: Path) -> None:
    networks = "{authorizedNetworks: [{name: office, cidr: 198.51.100.0/24}]}"
    spec = option(tmp_path, cluster=networks).get("ContainerCluster", "dify")["spec"]
    assert spec["privateClusterConfig"]["enablePrivateEndpoint"] is False
    assert spec["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["allowExternalTraffic"] is False
    blocks = spec["masterAuthorizedNetworksConfig"]["cidrBlocks"]
    assert blocks == [{"cidrBlock": "198.51.100.0/24", "displayName": "office"}]


def test_sandbox_on_nodes_with_gvisor(tmp_path: Path) -> None:
    root = make(tmp_path, prod=environment(sandbox="{gvisor: true}"))
    pool = Cluster(build(root, "config-connector/prod")).get("ContainerNodePool", "dify-a-gvisor")
    assert pool["spec"]["nodeConfig"]["sandboxConfig"] == {"sandboxType": "gvisor"}
    assert Cluster(build(root, "overlays/prod")).pod("Deployment", "sandbox")["runtimeClassName"] == "gvisor"


def test_read_replica(tmp_path: Path) -> None:
    replica = option(tmp_path, database="{readReplica: true}").get("SQLInstance", "dify-postgres-a-replica")["spec"]
    assert replica["masterInstanceRef"] == {"name": "dify-postgres-a"}
    assert replica["instanceType"] == "READ_REPLICA_INSTANCE"
    assert "backupConfiguration" not in replica["settings"]


def test_private_service_connect_comes_in_two_steps(tmp_path: Path) -> None:
    first = option(tmp_path / "first", database="{privateServiceConnect: {}}")
    config = first.get("SQLInstance", "dify-postgres-a")["spec"]["settings"]["ipConfiguration"]["pscConfig"]
    assert config == [{"pscEnabled": True, "allowedConsumerProjects": [PROJECT]}]
    assert first.get("ComputeAddress", "dify-postgres-a-endpoint")["spec"]["address"] == "10.0.255.253"
    assert first.all("ComputeForwardingRule") == []
    attachment = "projects/p0-tp/regions/asia-northeast1/serviceAttachments/a-0"
    known = f"{{serviceAttachment: {attachment}, dnsName: 0.1.asia-northeast1.sql.goog.}}"
    second = option(tmp_path / "second", database=f"{{privateServiceConnect: {known}}}")
    (rule,) = second.all("ComputeForwardingRule")
    assert rule["spec"]["target"]["serviceAttachmentRef"]["external"] == attachment
    assert rule["spec"]["loadBalancingScheme"] == "", "explicitly, or it becomes EXTERNAL"
    assert second.get("DNSRecordSet", "dify-postgres-a-endpoint")["spec"]["name"] == "0.1.asia-northeast1.sql.goog."


def test_plugins_get_a_bucket_where_the_daemon_needs_no_key(prod_google: Cluster, tmp_path: Path) -> None:
    assert len(prod_google.all("StorageBucket")) == 2
    later = option(tmp_path, images="{pluginDaemon: {tag: 0.5.7-local}}")
    assert later.get("StorageBucket", f"{PROJECT}-dify-plugins")
    assert set(map(tuple, roles(later, f"bucket-{PROJECT}-dify-plugins").values())) == {("dify-plugin-daemon",)}


def test_dns_elsewhere_leaves_no_zone_and_no_api(tmp_path: Path) -> None:
    cluster = option(tmp_path, dns="{managed: false}")
    assert not cluster.all("DNSManagedZone")
    assert not cluster.all("DNSRecordSet")
    assert "dns.googleapis.com" not in {item["metadata"]["name"] for item in cluster.all("Service")}


@pytest.mark.parametrize(
    ("tier", "edition"), [("db-custom-4-15360", "ENTERPRISE"), ("db-perf-optimized-N-4", "ENTERPRISE_PLUS")]
)
def test_the_machine_of_the_database_decides_its_edition(tmp_path: Path, tier: str, edition: str) -> None:
    cluster = option(tmp_path, database=f"{{tier: {tier}, readReplica: true}}")
    assert {item["spec"]["settings"]["edition"] for item in cluster.all("SQLInstance")} == {edition}
    assert examine_google(cluster.objects, "", load_repository(tmp_path).environments["prod"]) == []


def test_a_zone_above_the_domain(tmp_path: Path) -> None:
    cluster = option(tmp_path, dns="{zone: acme.example}")
    assert cluster.get("DNSManagedZone", "zone-acme-example")["spec"]["dnsName"] == "acme.example."
    (record,) = cluster.all("DNSRecordSet")
    assert record["spec"]["name"] == "dify.prod.acme.example."


def armor(cluster: Cluster) -> dict[int, Object]:
    return {rule["priority"]: rule for rule in cluster.get("ComputeSecurityPolicy", "dify")["spec"]["rule"]}


def test_armor_previews_its_waf_and_lets_everybody_in_by_default(prod_google: Cluster) -> None:
    rules = armor(prod_google)
    waf = [rule for rule in rules.values() if "expr" in rule["match"]]
    assert len(waf) >= 8
    assert all(rule["preview"] for rule in waf)
    assert rules[2147483647]["action"] == "allow"


def test_armor_with_lists(tmp_path: Path) -> None:
    many = ", ".join(f"198.51.{number}.0/24" for number in range(12))
    rules = armor(option(tmp_path, edge=f"{{allow: [{many}], deny: [203.0.113.7/32], waf: enforce}}"))
    assert rules[100]["action"] == "deny(403)"
    assert rules[100]["match"]["config"]["srcIpRanges"] == ["203.0.113.7/32"]
    assert [len(rules[number]["match"]["config"]["srcIpRanges"]) for number in (2000, 2001)] == [10, 2]
    assert rules[2147483647]["action"] == "deny(403)"
    assert not any(rule.get("preview") for rule in rules.values())


def test_a_mirror_of_the_same_project_may_be_read_by_nodes(prod_google: Cluster, tmp_path: Path) -> None:
    names = {item["metadata"]["name"] for item in prod_google.all("IAMPartialPolicy")}
    assert "images-mirror" not in names
    registry = f"{{registry: asia-northeast1-docker.pkg.dev/{PROJECT}/mirror}}"
    cluster = option(tmp_path, images=registry)
    policy = cluster.get("IAMPartialPolicy", "images-mirror")["spec"]
    repository = f"projects/{PROJECT}/locations/asia-northeast1/repositories/mirror"
    assert policy["resourceRef"]["external"] == repository
    assert roles(cluster, "images-mirror") == {"roles/artifactregistry.reader": ["dify-nodes"]}


# --- times -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "start", "said", "sunday"),
    [
        ("Etc/UTC", "03:00", "UTC: 03:00 in Etc/UTC", 7),
        ("Asia/Tokyo", "18:00", "UTC: 03:00 in Asia/Tokyo", 6),
        ("Asia/Kolkata", "21:30", "UTC: 03:00 in Asia/Kolkata", 6),
        ("Europe/Berlin", "02:00", "UTC: 03:00 in Europe/Berlin in January, 04:00 in July", 7),
        ("America/New_York", "08:00", "UTC: 03:00 in America/New_York in January, 04:00 in July", 7),
        ("Australia/Sydney", "16:00", "UTC: 03:00 in Australia/Sydney in January, 02:00 in July", 6),
        ("Pacific/Kiritimati", "13:00", "UTC: 03:00 in Pacific/Kiritimati", 6),
    ],
)
def test_times_are_the_environment_s_in_utc(tmp_path: Path, zone: str, start: str, said: str, sunday: int) -> None:
    root = make(tmp_path, prod=environment(timeZone=zone))
    text = (root / "config-connector/prod/generated/cloud-sql.yaml").read_text(encoding="utf-8")
    assert f"startTime: '{start}'  # {said}\n" in text
    settings = Cluster(build(root, "config-connector/prod")).get("SQLInstance", "dify-postgres-a")["spec"]["settings"]
    assert settings["maintenanceWindow"]["day"] == sunday


@pytest.mark.parametrize("zone", ["Etc/UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_the_cluster_is_maintained_in_the_early_morning_of_weekends(tmp_path: Path, zone: str) -> None:
    cluster = option(tmp_path, timeZone=zone).get("ContainerCluster", "dify")
    window = cluster["spec"]["maintenancePolicy"]["recurringWindow"]
    start, end = (dt.datetime.fromisoformat(window[key]) for key in ("startTime", "endTime"))
    assert end - start == dt.timedelta(hours=8)
    assert start.astimezone(ZoneInfo(zone)).hour == 1
    shift = (start.astimezone(ZoneInfo(zone)).date() - start.date()).days
    names = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
    days = window["recurrence"].rpartition("=")[2].split(",")
    assert {names[(names.index(day) + shift) % 7] for day in days} == {"SA", "SU"}


def test_the_waf_looks_before_the_rate_is_counted_and_everybody_comes_last(prod_google: Cluster) -> None:
    rules = prod_google.get("ComputeSecurityPolicy", "dify")["spec"]["rule"]
    order = ["waf" if "expr" in rule["match"] else rule["action"] for rule in sorted(rules, key=itemgetter("priority"))]
    assert order == ["waf"] * order.count("waf") + ["throttle", "allow"]
    sensitivity = {
        re.search(r"'sensitivity': (\d)", str(rule["match"]["expr"])) for rule in rules if "expr" in rule["match"]
    }
    assert {found[1] for found in sensitivity if found} == {"1"}


# --- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {"database": "{instance: dify-postgres-b}"},
        {"nodes": "{pool: dify-b, machine: n2-standard-8, disk: 200}"},
        {"redis": "{instance: dify-redis-b, memory: 2}"},
        {"storage": "{bucket: acme-files, backupBucket: acme-backups, location: EU}"},
        {"images": f"{{registry: asia-northeast1-docker.pkg.dev/{PROJECT}/other}}"},
        {"domain": "chat.acme.example"},
        {"dns": "{zone: acme.example}"},
    ],
)
def test_a_new_name_in_the_input_asks_for_nothing_impossible(
    tmp_path: Path, keys: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What has a name in the input is replaced by another name; no object of the old name may have to change."""
    make(tmp_path, prod=environment(images=f"{{registry: asia-northeast1-docker.pkg.dev/{PROJECT}/mirror}}"))
    make(tmp_path, prod=environment(**keys))
    assert "google-immutable" not in capsys.readouterr().err


def test_the_user_s_labels_reach_google_cloud(tmp_path: Path) -> None:
    platform = "repository: https://example.com/a.git\ncontact: a@acme.example\nlabels: {team: ai}\n"
    root = make(tmp_path, platform, prod=environment())
    for item in build(root, "config-connector/prod"):
        assert item["metadata"]["labels"]["team"] == "ai"


def test_one_number_is_one_line_of_one_file(tmp_path: Path) -> None:
    def files(**keys: str) -> dict[str, list[str]]:
        root = make(tmp_path / json.dumps(keys).replace("/", "_"), prod=environment(**keys))
        return {
            path.relative_to(root).as_posix(): path.read_text(encoding="utf-8").splitlines()
            for path in (root / "config-connector").rglob("*.yaml")
        }

    before, after = files(), files(database="{tier: db-custom-4-15360}")
    changed = [
        (path, old, new)
        for path, lines in before.items()
        for old, new in zip(lines, after[path], strict=True)
        if old != new
    ]
    file = "config-connector/prod/generated/cloud-sql.yaml"
    assert changed == [(file, "    tier: db-custom-2-4096", "    tier: db-custom-4-15360")]
