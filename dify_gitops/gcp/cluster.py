"""cluster.yaml: the GKE cluster and its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.google import MAX_PODS, NODES, SANDBOX_NODES, zones
from dify_gitops.emit import Flow, Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import ref, resource
from dify_gitops.gcp.schedule import utc

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.gcp.schedule import Moment
    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest


# GKE wants 48 hours of maintenance in any 32 days, in windows of 4 hours at least:
# https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions
_MAINTENANCE_DAYS = ("SATURDAY", "SUNDAY")
_MAINTENANCE_START, _MAINTENANCE_HOURS = "01:00", 8

_CONTROL_PLANE = ["APISERVER", "SCHEDULER", "CONTROLLER_MANAGER"]
# Metrics of the system and of Kubernetes' objects: what the alert policies and the dashboard look at.
_METRICS = ["SYSTEM_COMPONENTS", *_CONTROL_PLANE, "STORAGE", "HPA", "POD", "DEPLOYMENT", "STATEFULSET", "KUBELET"]


def _maintenance(environment: Environment) -> dict[str, Any]:
    start: Moment = utc(_MAINTENANCE_START, environment.time_zone)
    end = start.hour + _MAINTENANCE_HOURS
    # The first window's date only says when the row of windows begins: a Monday, long past.
    first = "2026-01-05T"
    after = "2026-01-06T" if end >= 24 else first  # noqa: PLR2004 - hours of a day
    days = ",".join(start.day(day)[:2] for day in _MAINTENANCE_DAYS)
    return {
        "recurringWindow": {
            "startTime": Note(f"{first}{start.clock}:00Z", start.said),
            "endTime": f"{after}{end % 24:02}:{start.minute:02}:00Z",
            "recurrence": Note(f"FREQ=WEEKLY;BYDAY={days}", "GKE wants 48 hours in any 32 days"),
        }
    }


def _ways_in(environment: Environment) -> dict[str, Any]:
    """How operators reach the API server: by its DNS name and IAM, or by its public address from a few ranges."""
    known = environment.cluster.authorized_networks
    blocks = [{"cidrBlock": one.cidr, "displayName": one.name} for one in known]
    authorized: dict[str, Any] = {"gcpPublicCidrsAccessEnabled": False}
    if blocks:
        authorized = {"cidrBlocks": blocks} | authorized
    return {
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {
                "allowExternalTraffic": False
                if known
                else Note(True, "operators and CI: no address to keep up, IAM decides (container.clusters.connect)")
            },
            "ipEndpointsConfig": {"enabled": True},
        },
        "privateClusterConfig": {
            "enablePrivateNodes": True,
            "enablePrivateEndpoint": not known,
            "masterIpv4CidrBlock": Note(environment.network.control_plane, "immutable"),
        },
        "masterAuthorizedNetworksConfig": authorized
        if known
        else Note(authorized, "no range: the private address answers nodes and pods only"),
    }


def _cluster(site: Site) -> Manifest:
    environment = site.environment
    return resource(
        "Made by bootstrap and acquired here: what is immutable must be the same in both. Config Connector has no "
        "field for GKE's own deletion protection.",
        "container",
        "ContainerCluster",
        names.CLUSTER,
        site,
        wave=names.WAVE_INSTANCES,
        annotations={names.REMOVE_DEFAULT_NODE_POOL: Note("true", "nodes come from the pools below only")},
        spec={
            "location": Note(environment.region, "a region: its control plane survives the loss of a zone; immutable"),
            "nodeLocations": list(environment.cluster.zones or zones(environment.region)),
            "initialNodeCount": Note(1, "of the default pool, which is removed at once"),
            "minMasterVersion": Note(environment.kubernetes, "at least; the channel goes on from there"),
            "releaseChannel": {"channel": environment.cluster.release_channel},
            "networkRef": ref(names.NETWORK),
            "subnetworkRef": ref(names.SUBNET),
            "networkingMode": "VPC_NATIVE",
            "datapathProvider": Note("ADVANCED_DATAPATH", "Dataplane V2: NetworkPolicies are enforced; immutable"),
            "ipAllocationPolicy": {
                "clusterSecondaryRangeName": names.PODS_RANGE,
                "servicesSecondaryRangeName": names.SERVICES_RANGE,
            },
            "defaultMaxPodsPerNode": MAX_PODS,
            "enableIntranodeVisibility": Note(True, "flow logs also see pods on the same node"),
            **_ways_in(environment),
            "workloadIdentityConfig": {"workloadPool": f"{environment.project}.svc.id.goog"},
            "enableShieldedNodes": True,
            "enableLegacyAbac": False,
            "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
            "securityPostureConfig": {"mode": Note("BASIC", "Google has ended the scans of vulnerabilityMode")},
            "addonsConfig": {
                "httpLoadBalancing": {"disabled": False},
                "horizontalPodAutoscaling": {"disabled": False},
                "dnsCacheConfig": {"enabled": Note(True, "NodeLocal DNSCache; NetworkPolicies know its address")},
                "gcePersistentDiskCsiDriverConfig": {"enabled": True},
                "gkeBackupAgentConfig": {"enabled": Note(True, "for backup.yaml")},
                "configConnectorConfig": {
                    "enabled": Note(False, "bootstrap installs a pinned one; the add-on lags behind")
                },
            },
            "maintenancePolicy": _maintenance(environment),
            "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS", *_CONTROL_PLANE]},
            "monitoringConfig": {
                "enableComponents": _METRICS,
                "managedPrometheus": {"enabled": Note(True, "scrapes what PodMonitorings name")},
            },
            "costManagementConfig": {"enabled": Note(True, "cost per namespace and label in the bill")},
        },
    )


def _pool(site: Site, why: str, name: str, bounds: tuple[int, int], **node: Any) -> Manifest:
    """A pool with ``bounds`` nodes in total; ``node`` are further fields of ``nodeConfig``."""
    environment = site.environment
    size = environment.nodes
    return resource(
        why,
        "container",
        "ContainerNodePool",
        Note(name, "the suffix is a generation: another machine or disk is another pool"),
        site,
        wave=names.WAVE_CONTENTS,
        spec={
            "clusterRef": ref(names.CLUSTER),
            "location": environment.region,
            "initialNodeCount": Note(1, "in each zone, at creation only; immutable"),
            "autoscaling": {
                "totalMinNodeCount": Note(bounds[0], "over all zones together"),
                "totalMaxNodeCount": bounds[1],
                "locationPolicy": "BALANCED",
            },
            "maxPodsPerNode": MAX_PODS,
            "networkConfig": {"enablePrivateNodes": True},
            "management": {"autoRepair": True, "autoUpgrade": True},
            "upgradeSettings": {
                "strategy": "SURGE",
                "maxSurge": Note(1, "a new node first, then one is drained"),
                "maxUnavailable": 0,
            },
            "nodeConfig": {
                "machineType": Note(size.machine, "immutable, like the disk"),
                "diskType": "pd-balanced",
                "diskSizeGb": size.disk,
                "imageType": "COS_CONTAINERD",
                "serviceAccountRef": ref(f"dify-{NODES}"),
                "oauthScopes": Note(
                    ["https://www.googleapis.com/auth/cloud-platform"], "the account's roles are the limit"
                ),
                "workloadMetadataConfig": {"mode": Note("GKE_METADATA", "pods see their own identity only")},
                "shieldedInstanceConfig": {"enableSecureBoot": True, "enableIntegrityMonitoring": True},
                "metadata": {"disable-legacy-endpoints": "true"},
                "tags": Flow([names.NODE_TAG]),
                **node,
            },
        },
    )


def concern(site: Site) -> Concern:
    """Cluster, node pool, and on demand nodes with gVisor for the sandbox."""
    environment = site.environment
    pools = [
        _pool(
            site,
            "Where everything runs.",
            environment.nodes.pool,
            (environment.nodes.min, environment.nodes.max),
        )
    ]
    if environment.sandbox.gvisor:
        pools.append(
            _pool(
                site,
                "Only for the sandbox: gVisor stands between its code and the kernel. GKE taints these nodes itself.",
                f"{environment.nodes.pool}-gvisor",
                (1, SANDBOX_NODES),
                sandboxConfig={"sandboxType": "gvisor"},
            )
        )
    return Concern("cluster", "The GKE cluster and its nodes.", [_cluster(site), *pools])
