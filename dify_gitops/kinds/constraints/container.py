"""GKE: clusters and node pools.

Sources: the Terraform provider that Config Connector 1.155 embeds (services/container/resource_container_cluster.go,
resource_container_node_pool.go, node_config.go), and the CIS GKE Benchmark 1.9, section 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.google import HYPERDISK_ONLY, WIDEST_OPERATORS
from dify_gitops.input import formats as f
from dify_gitops.kinds.constraints.formats import CIDR, DURATION, LABEL, ZONE, cidr
from dify_gitops.kinds.constraints.maintenance import MAINTENANCE
from dify_gitops.kinds.constraints.model import (
    AtMostOne,
    ExactlyOne,
    Excludes,
    Format,
    Kind,
    Mandatory,
    Name,
    Needs,
    OneOf,
    Range,
    Refused,
    Sense,
    Unique,
    off,
    on,
    written,
)
from dify_gitops.kinds.constraints.paths import values

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?", "a name of at most 40 lower-case letters, digits and hyphens"
_MOST_PODS = 256  # https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr
_LEAST_PODS = 8


def _narrow(value: str) -> str | None:
    """A range of operators, not half of the internet."""
    wrong = cidr(value)
    if wrong is None and int(value.partition("/")[2]) <= WIDEST_OPERATORS:
        return f"lets in a /{WIDEST_OPERATORS} or more; name the ranges of your operators"
    return wrong


def _boot_disk(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A machine without Persistent Disk starts from a Hyperdisk."""
    series = str(node.get("machineType")).partition("-")[0]
    disk = node.get("diskType", "pd-balanced")  # GKE's own choice
    if series in HYPERDISK_ONLY and str(disk).startswith("pd-"):
        yield "diskType", f"machines of series {series} take no {disk}, only Hyperdisk"


def _default_pool(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Config Connector removes the default pool if it is told to, and only then."""
    spec = item.get("spec")
    key = names.REMOVE_DEFAULT_NODE_POOL
    annotations = [value for _, value in values(item, "metadata.annotations") if isinstance(value, dict)]
    if not any(found.get(key) == "true" for found in annotations):
        yield f"metadata.annotations[{key}]", "is not true: the default pool would stay, on Google's default account"
        return
    if not isinstance(spec, dict):
        return
    for field in ("nodeConfig", "nodeVersion"):
        if field in spec:
            yield f"spec.{field}", "is for the default pool, which is removed"
    if spec.get("initialNodeCount") != 1:
        yield "spec.initialNodeCount", "is not 1: the default pool, which is removed at once, must have one node"


_DATAPLANE_V2 = "ADVANCED_DATAPATH"
_CONTROL_PLANE = ("APISERVER", "SCHEDULER", "CONTROLLER_MANAGER")
_WORKLOADS = ("STORAGE", "HPA", "POD", "DAEMONSET", "DEPLOYMENT", "STATEFULSET", "JOBSET")


def _lacking(config: dict[str, Any], *wanted: str) -> Iterator[tuple[str, str]]:
    components = [name for _, name in values(config, "enableComponents[]")]
    if missing := [name for name in wanted if name not in components]:
        yield "enableComponents", f"lacks {', '.join(missing)}"


def _logged(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """CIS GKE 5.7.1, and what Dify itself says."""
    yield from _lacking(config, "SYSTEM_COMPONENTS", "WORKLOADS")


def _monitored(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _lacking(config, "SYSTEM_COMPONENTS")


_CLUSTER = Kind(
    "container",
    "ContainerCluster",
    immutable=(
        "spec.clusterAutoscaling.autoProvisioningDefaults.bootDiskKMSKeyRef",
        "spec.clusterAutoscaling.autoProvisioningDefaults.shieldedInstanceConfig",
        "spec.clusterIpv4Cidr",
        "spec.confidentialNodes",
        "spec.datapathProvider",
        "spec.defaultMaxPodsPerNode",
        "spec.description",
        "spec.dnsConfig",
        "spec.enableAutopilot",
        "spec.enableKubernetesAlpha",
        "spec.enableMultiNetworking",
        "spec.enableTpu",
        "spec.initialNodeCount",
        "spec.ipAllocationPolicy",
        "spec.masterAuth.clientCertificateConfig",
        "spec.networkRef",
        "spec.networkingMode",
        "spec.nodeConfig",
        "spec.privateClusterConfig.masterIpv4CidrBlock",
        "spec.privateClusterConfig.privateEndpointSubnetworkRef",
        "spec.subnetworkRef",
    ),
    constraints=(
        Name(*_NAME),
        # Google would accept less of these without a word.
        *on("spec.privateClusterConfig.enablePrivateNodes", why="nodes would have addresses on the internet"),
        *on("spec.enableShieldedNodes", why="a machine of a stranger could pass for a node"),
        *on("spec.enableIntranodeVisibility", why="flow logs would not show pods on one node"),
        *on("spec.addonsConfig.gcePersistentDiskCsiDriverConfig.enabled", why="no volume could be made"),
        *on("spec.addonsConfig.gkeBackupAgentConfig.enabled", why="backup.yaml makes no backup without it"),
        *on("spec.monitoringConfig.managedPrometheus.enabled", why="alerts on what Dify measures would be silent"),
        *off("spec.enableLegacyAbac", why="every ServiceAccount would have far more rights than RBAC gives it"),
        *off("spec.enableKubernetesAlpha", why="such a cluster is deleted after 30 days"),
        *off("spec.masterAuth.clientCertificateConfig.issueClientCertificate", why="nobody could withdraw it"),
        *off(
            "spec.masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled",
            why="every virtual machine of every customer of Google could reach the API server",
        ),
        *off("spec.enableAutopilot", why="it has no node pools"),
        *off("spec.addonsConfig.httpLoadBalancing.disabled", why="nobody would make the load balancer of an Ingress"),
        *off("spec.addonsConfig.horizontalPodAutoscaling.disabled", why="nothing would scale"),
        *off("spec.addonsConfig.configConnectorConfig.enabled", why="there would be two Config Connectors"),
        OneOf("spec.networkingMode", ("VPC_NATIVE",), "the other one takes neither private nodes nor our ranges"),
        OneOf("spec.datapathProvider", (_DATAPLANE_V2,), "NetworkPolicies would not be enforced"),
        OneOf("spec.releaseChannel.channel", ("RAPID", "REGULAR", "STABLE")),
        OneOf("spec.securityPostureConfig.mode", ("BASIC",)),
        # Google's enum has called the other ones unsupported since 2025.
        OneOf("spec.securityPostureConfig.vulnerabilityMode", ("VULNERABILITY_DISABLED",)),
        OneOf("spec.gatewayApiConfig.channel", ("CHANNEL_STANDARD", "CHANNEL_EXPERIMENTAL", "CHANNEL_DISABLED")),
        OneOf("spec.binaryAuthorization.evaluationMode", ("PROJECT_SINGLETON_POLICY_ENFORCE", "DISABLED")),
        OneOf("spec.databaseEncryption.state", ("ENCRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED", "DECRYPTED")),
        OneOf("spec.clusterAutoscaling.autoscalingProfile", ("BALANCED", "OPTIMIZE_UTILIZATION")),
        OneOf("spec.dnsConfig.clusterDns", ("PLATFORM_DEFAULT", "CLOUD_DNS")),
        OneOf("spec.dnsConfig.clusterDnsScope", ("CLUSTER_SCOPE", "VPC_SCOPE")),
        OneOf("spec.ipAllocationPolicy.stackType", ("IPV4", "IPV4_IPV6")),
        Sense("spec.loggingConfig", _logged),
        Sense("spec.monitoringConfig", _monitored),
        OneOf("spec.loggingConfig.enableComponents[]", ("SYSTEM_COMPONENTS", "WORKLOADS", *_CONTROL_PLANE)),
        OneOf(
            "spec.monitoringConfig.enableComponents[]",
            ("SYSTEM_COMPONENTS", *_CONTROL_PLANE, *_WORKLOADS, "KUBELET", "CADVISOR", "DCGM"),
        ),
        OneOf("spec.monitoringConfig.advancedDatapathObservabilityConfig[].relayMode", ("DISABLED", "INTERNAL_VPC_LB")),
        OneOf(
            "spec.notificationConfig.pubsub.filter.eventType[]",
            ("UPGRADE_AVAILABLE_EVENT", "UPGRADE_EVENT", "SECURITY_BULLETIN_EVENT"),
        ),
        Range("spec.defaultMaxPodsPerNode", _LEAST_PODS, _MOST_PODS),
        Format("spec.nodeLocations[]", *ZONE),
        Format(
            "spec.minMasterVersion", r"latest|[0-9]\.[0-9]{2}(\.[0-9]+(-gke\.[0-9]+)?)?", "a version such as '1.35'"
        ),
        Format("spec.privateClusterConfig.masterIpv4CidrBlock", r"[0-9.]+/28", "a range /28", cidr),
        Format("spec.masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock", *CIDR, _narrow),
        Format("spec.workloadIdentityConfig.workloadPool", r"[a-z0-9-]+\.svc\.id\.goog", "PROJECT.svc.id.goog"),
        Format(
            "spec.authenticatorGroupsConfig.securityGroup", r"gke-security-groups@\S+", "gke-security-groups@DOMAIN"
        ),
        Unique("spec.nodeLocations[]"),
        Unique("spec.masterAuthorizedNetworksConfig.cidrBlocks[].cidrBlock"),
        AtMostOne("spec.ipAllocationPolicy", ("clusterSecondaryRangeName", "clusterIpv4CidrBlock")),
        AtMostOne("spec.ipAllocationPolicy", ("servicesSecondaryRangeName", "servicesIpv4CidrBlock")),
        AtMostOne("spec.binaryAuthorization", ("enabled", "evaluationMode")),
        Excludes("spec", "ipAllocationPolicy", ("clusterIpv4Cidr",)),
        Excludes("spec", "binaryAuthorization", ("enableBinaryAuthorization",)),
        Excludes("spec", "clusterTelemetry", ("loggingService", "monitoringService")),
        # Dataplane V2 enforces NetworkPolicies by itself.
        Excludes("spec", "datapathProvider", ("networkPolicy", "addonsConfig.networkPolicyConfig"), _DATAPLANE_V2),
        Needs("spec.databaseEncryption", "state", ("keyName",), "ENCRYPTED"),
        Needs("spec.databaseEncryption", "state", ("keyName",), "ALL_OBJECTS_ENCRYPTION_ENABLED"),
        Needs("spec.clusterAutoscaling", "enabled", ("resourceLimits",), value=True),
        Needs("spec.notificationConfig.pubsub", "enabled", ("topicRef",), value=True),
        Refused("spec.masterAuth.username", "Kubernetes knows no passwords any more"),
        Refused("spec.podSecurityPolicyConfig", "Kubernetes 1.25 took PodSecurityPolicy out"),
        Refused("spec.workloadIdentityConfig.identityNamespace", "is the old name of workloadPool"),
        Mandatory("spec", ("networkRef", "subnetworkRef"), "GKE takes the network that is called default"),
        Mandatory("spec", ("networkingMode", "datapathProvider"), "GKE's default enforces no NetworkPolicy, for ever"),
        Mandatory("spec", ("releaseChannel.channel", "maintenancePolicy"), "GKE decides what is upgraded, and when"),
        Mandatory("spec", ("workloadIdentityConfig.workloadPool",), "pods would act as their node"),
        Mandatory(
            "spec",
            ("privateClusterConfig.enablePrivateNodes", "masterAuthorizedNetworksConfig"),
            "nodes or API server would be open to the internet",
        ),
        Mandatory("spec", ("addonsConfig.gkeBackupAgentConfig",), "backup.yaml makes no backup without it"),
        Mandatory("spec", ("addonsConfig.gcePersistentDiskCsiDriverConfig",), "pods without it have no volumes"),
        Mandatory("spec", ("ipAllocationPolicy",), "GKE would make ranges of its own, for ever"),
        Mandatory("spec", ("securityPostureConfig.mode",), "nobody is told of workloads that are set up weakly"),
        Mandatory("spec", ("monitoringConfig.managedPrometheus.enabled",), "the alerts have no metrics of Dify then"),
        Mandatory("spec", ("enableShieldedNodes", "enableIntranodeVisibility"), "GKE's default protects less"),
        Mandatory("spec", ("loggingConfig", "monitoringConfig"), "GKE's default tells nothing of the control plane"),
        *MAINTENANCE,
        Sense("", _default_pool),
    ),
)

# Fields of spec.nodeConfig with which GKE would make the pool anew.
_NODE = (
    "advancedMachineFeatures bootDiskKMSCryptoKeyRef confidentialNodes diskSizeGb diskType ephemeralStorageConfig "
    "ephemeralStorageLocalSsdConfig gcfsConfig guestAccelerator gvnic hostMaintenancePolicy labels "
    "localNvmeSsdBlockConfig localSsdCount machineType metadata minCpuPlatform nodeGroupRef oauthScopes preemptible "
    "reservationAffinity sandboxConfig serviceAccountRef shieldedInstanceConfig soleTenantConfig spot"
).split()
_ROLLOUT = "spec.upgradeSettings.blueGreenSettings.standardRolloutPolicy"

_POOL = Kind(
    "container",
    "ContainerNodePool",
    immutable=(
        "spec.clusterRef",
        "spec.initialNodeCount",
        "spec.maxPodsPerNode",
        "spec.namePrefix",
        "spec.networkConfig.createPodRange",
        "spec.networkConfig.podIpv4CidrBlock",
        "spec.networkConfig.podRange",
        "spec.networkConfig.subnetworkRef",
        "spec.placementPolicy",
        "spec.queuedProvisioning",
        *(f"spec.nodeConfig.{field}" for field in _NODE),
    ),
    constraints=(
        Name(*_NAME),
        *on("spec.management.autoRepair", why="a broken node would stay"),
        *on("spec.management.autoUpgrade", why="nodes would get no security fixes"),
        *on("spec.networkConfig.enablePrivateNodes", why="nodes would have addresses on the internet"),
        *on(
            "spec.nodeConfig.shieldedInstanceConfig.enableSecureBoot",
            "spec.nodeConfig.shieldedInstanceConfig.enableIntegrityMonitoring",
            why="a node that was tampered with would start",
        ),
        OneOf(
            "spec.nodeConfig.workloadMetadataConfig.mode", ("GKE_METADATA",), "pods would have the rights of their node"
        ),
        OneOf(
            "spec.nodeConfig.metadata.disable-legacy-endpoints",
            ("true",),
            "pods could read the credentials of their node",
        ),
        OneOf("spec.nodeConfig.imageType", ("COS_CONTAINERD",)),
        OneOf("spec.nodeConfig.diskType", ("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced")),
        OneOf("spec.nodeConfig.sandboxConfig.sandboxType", ("gvisor",)),
        OneOf("spec.nodeConfig.loggingVariant", ("DEFAULT", "MAX_THROUGHPUT")),
        OneOf("spec.nodeConfig.kubeletConfig.cpuManagerPolicy", ("none", "static", "")),
        OneOf("spec.nodeConfig.taint[].effect", ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE")),
        OneOf("spec.autoscaling.locationPolicy", ("BALANCED", "ANY")),
        OneOf("spec.upgradeSettings.strategy", ("SURGE", "BLUE_GREEN")),
        OneOf("spec.upgradeSettings.maxUnavailable", (0,), "an upgrade would take nodes away before there are others"),
        Range("spec.upgradeSettings.maxSurge", 1, 20),
        Range(f"{_ROLLOUT}.batchPercentage", 0, 1),
        Range("spec.nodeConfig.diskSizeGb", 10, 65536),
        Range("spec.maxPodsPerNode", _LEAST_PODS, _MOST_PODS),
        Range("spec.nodeConfig.kubeletConfig.podPidsLimit", 1024, 4194304),
        Format("spec.nodeConfig.machineType", *written(f.MachineType)),
        Format("spec.nodeConfig.tags[]", *LABEL),
        Format("spec.nodeLocations[]", *ZONE),
        Format("spec.upgradeSettings.blueGreenSettings.nodePoolSoakDuration", *DURATION),
        Format(f"{_ROLLOUT}.batchSoakDuration", *DURATION),
        Unique("spec.nodeLocations[]"),
        Excludes("spec.autoscaling", "totalMaxNodeCount", ("minNodeCount", "maxNodeCount")),
        Excludes("spec", "autoscaling", ("nodeCount",)),
        Excludes("spec", "initialNodeCount", ("nodeCount",)),
        Excludes("spec", "management.autoUpgrade", ("version",), value=True),
        Excludes("spec.upgradeSettings", "strategy", ("maxSurge", "maxUnavailable"), "BLUE_GREEN"),
        Needs("spec.upgradeSettings", "blueGreenSettings", ("strategy",), value_needed="BLUE_GREEN"),
        ExactlyOne(_ROLLOUT, ("batchPercentage", "batchNodeCount")),
        Sense("spec.nodeConfig", _boot_disk),
        Refused("spec.namePrefix", "does not go with the name, which every object has"),
        Refused("spec.nodeConfig.workloadMetadataConfig.nodeMetadata", "is the old name of mode"),
        Mandatory("spec.autoscaling", ("totalMaxNodeCount",), "the other limits hold in each zone"),
        Mandatory("spec", ("management.autoRepair", "management.autoUpgrade"), "left out means false"),
        Mandatory("spec", ("networkConfig.enablePrivateNodes",), "the cluster's default need not be it"),
        Mandatory("spec", ("upgradeSettings.strategy",), "GKE would choose how nodes are replaced"),
        Mandatory("spec", ("nodeConfig.tags[]",), "firewall rules find nodes by them"),
        Mandatory("spec.nodeConfig", ("machineType", "diskSizeGb", "diskType"), "GKE's choice would stay for ever"),
        Mandatory(
            "spec.nodeConfig",
            (
                "imageType",
                "workloadMetadataConfig.mode",
                "shieldedInstanceConfig.enableSecureBoot",
                "shieldedInstanceConfig.enableIntegrityMonitoring",
            ),
            "GKE's default protects less",
        ),
    ),
)

KINDS = (_CLUSTER, _POOL)
