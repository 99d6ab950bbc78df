"""What Google Cloud must have before Config Connector can run: made here, acquired and owned by it afterwards.

Every setting is read from the object that ``config-connector/<env>`` holds for the same resource, so both are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.bootstrap import Command, Step
from dify_gitops.catalogue import google
from dify_gitops.emit import plain
from dify_gitops.gcp import access, cluster, network
from dify_gitops.gcp.identity import accounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.gcp import Concern, Site

# What the steps below call themselves. GKE turns on the last two by itself, but not at once.
FIRST_APIS = ("serviceusage", "cloudresourcemanager", "iam", "container", "compute", "iamcredentials")

# The pool that GKE insists on lives for minutes, and counts in the quotas for as long.
FIRST_NODES = {"machineType": "e2-medium", "diskSizeGb": 20}
FIRST_NODES_CPUS = 2  # https://cloud.google.com/compute/docs/general-purpose-machines#e2-shared-core

_ADDONS = {
    "httpLoadBalancing": "HttpLoadBalancing",
    "horizontalPodAutoscaling": "HorizontalPodAutoscaling",
    "dnsCacheConfig": "NodeLocalDNS",
    "gcePersistentDiskCsiDriverConfig": "GcePersistentDiskCsiDriver",
    "gkeBackupAgentConfig": "BackupRestore",
}


def _objects(concern: Concern, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(name, spec) of each object of a kind."""
    for manifest in concern.manifests:
        if manifest.body["kind"] == kind:
            body = plain(manifest.body)
            yield body["metadata"]["name"], body["spec"]


def _one(concern: Concern, kind: str) -> tuple[str, dict[str, Any]]:
    return next(_objects(concern, kind))


def made(what: tuple[str, ...], name: str, *flags: str, where: tuple[str, ...] = ()) -> Command:
    """``gcloud WHAT create NAME``, unless ``gcloud WHAT describe NAME`` finds it; ``where`` is for both."""
    return Command(("gcloud", *what, "create", name, *where, *flags), ("gcloud", *what, "describe", name, *where))


def _switch(flag: str, *, on: bool) -> str:
    return f"--{flag}" if on else f"--no-{flag}"


def apis(site: Site) -> Step:
    """Without these no other command works; Config Connector turns on the rest."""
    services = [f"{api}.googleapis.com" for api in FIRST_APIS]
    project = f"--project={site.environment.project}"
    return Step("The first APIs", [Command(("gcloud", "services", "enable", *services, project))])


def networks(site: Site) -> Step:
    """Network, subnet, and the way out: private nodes cannot pull an image without it."""
    concern = network.concern(site)
    project = f"--project={site.environment.project}"
    vpc, vpc_spec = _one(concern, "ComputeNetwork")
    subnet, subnet_spec = _one(concern, "ComputeSubnetwork")
    router, router_spec = _one(concern, "ComputeRouter")
    nat, nat_spec = _one(concern, "ComputeRouterNAT")
    ranges = ",".join(f"{one['rangeName']}={one['ipCidrRange']}" for one in subnet_spec["secondaryIpRange"])
    log = subnet_spec["logConfig"]
    fixed = [
        (name, spec)
        for name, spec in _objects(concern, "ComputeAddress")
        if {"name": name} in nat_spec.get("natIps", [])
    ]
    region = f"--region={subnet_spec['region']}"
    return Step(
        "The network, and the way out of it",
        [
            made(
                ("compute", "networks"),
                vpc,
                "--subnet-mode=custom",
                f"--bgp-routing-mode={vpc_spec['routingMode'].lower()}",
                where=(project,),
            ),
            made(
                ("compute", "networks", "subnets"),
                subnet,
                f"--network={subnet_spec['networkRef']['name']}",
                f"--range={subnet_spec['ipCidrRange']}",
                f"--secondary-range={ranges}",
                f"--stack-type={subnet_spec['stackType']}",
                _switch("enable-private-ip-google-access", on=subnet_spec["privateIpGoogleAccess"]),
                "--enable-flow-logs",
                f"--logging-aggregation-interval={log['aggregationInterval'].lower().replace('_', '-')}",
                f"--logging-flow-sampling={log['flowSampling']}",
                f"--logging-metadata={log['metadata'].lower().replace('_', '-').removesuffix('-metadata')}",
                where=(project, region),
            ),
            *(
                made(("compute", "addresses"), name, f"--network-tier={spec['networkTier']}", where=(project, region))
                for name, spec in fixed
            ),
            made(
                ("compute", "routers"),
                router,
                f"--network={router_spec['networkRef']['name']}",
                where=(project, f"--region={router_spec['region']}"),
            ),
            made(
                ("compute", "routers", "nats"),
                nat,
                f"--nat-external-ip-pool={','.join(name for name, _ in fixed)}"
                if fixed
                else "--auto-allocate-nat-external-ips",
                "--nat-all-subnet-ip-ranges",
                _switch("enable-dynamic-port-allocation", on=nat_spec["enableDynamicPortAllocation"]),
                _switch("enable-endpoint-independent-mapping", on=nat_spec["enableEndpointIndependentMapping"]),
                f"--min-ports-per-vm={nat_spec['minPortsPerVm']}",
                f"--max-ports-per-vm={nat_spec['maxPortsPerVm']}",
                "--enable-logging",
                f"--log-filter={nat_spec['logConfig']['filter']}",
                where=(project, f"--router={nat_spec['routerRef']['name']}", f"--region={nat_spec['region']}"),
            ),
        ],
    )


def _grant(site: Site, account: str, role: str) -> Command:
    """A role on the project; giving it twice changes nothing."""
    project = site.environment.project
    member = f"--member=serviceAccount:{names.google_account(account, project)}"
    words = ("gcloud", "projects", "add-iam-policy-binding", project, member, f"--role={role}")
    return Command((*words, "--condition=None", "--format=none"))


def _account(site: Site, name: str) -> Command:
    project = site.environment.project
    email = names.google_account(name, project)
    where = f"--project={project}"
    title = f"--display-name=Dify {site.name}: {name}"
    return Command(
        ("gcloud", "iam", "service-accounts", "create", f"dify-{name}", where, title),
        ("gcloud", "iam", "service-accounts", "describe", email, where),
    )


def nodes_account(site: Site) -> Step:
    """Who the nodes are."""
    roles = [_grant(site, google.NODES, role) for role in google.NODE_ROLES]
    return Step("The account of the nodes", [_account(site, google.NODES), *roles])


def _ways_in(spec: dict[str, Any]) -> list[str]:
    private = spec["privateClusterConfig"]
    authorized = spec["masterAuthorizedNetworksConfig"].get("cidrBlocks", [])
    flags = [
        "--enable-master-authorized-networks",
        "--no-enable-google-cloud-access",
        "--enable-private-nodes",
        f"--master-ipv4-cidr={private['masterIpv4CidrBlock']}",
    ]
    if authorized:
        flags.append(f"--master-authorized-networks={','.join(block['cidrBlock'] for block in authorized)}")
    if private["enablePrivateEndpoint"]:
        flags.append("--enable-private-endpoint")
    if spec["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["allowExternalTraffic"]:
        flags.append("--enable-dns-access")
    return flags


def _node_flags(site: Site, config: dict[str, Any]) -> list[str]:
    """Settings of the nodes of a pool: none of them can change later."""
    shielded = config["shieldedInstanceConfig"]
    account = config["serviceAccountRef"]["name"]
    return [
        f"--machine-type={config['machineType']}",
        f"--disk-type={config['diskType']}",
        f"--disk-size={config['diskSizeGb']}",
        f"--image-type={config['imageType']}",
        f"--service-account={account}@{names.account_domain(site.environment.project)}",
        f"--scopes={','.join(config['oauthScopes'])}",
        f"--workload-metadata={config['workloadMetadataConfig']['mode']}",
        _switch("shielded-secure-boot", on=shielded["enableSecureBoot"]),
        _switch("shielded-integrity-monitoring", on=shielded["enableIntegrityMonitoring"]),
        f"--metadata={','.join(f'{key}={value}' for key, value in config['metadata'].items())}",
        f"--tags={','.join(config['tags'])}",
    ]


def _pool(site: Site, name: str, spec: dict[str, Any], where: tuple[str, ...]) -> Command:
    config = spec["nodeConfig"]
    sandbox = config.get("sandboxConfig")
    return made(
        ("container", "node-pools"),
        name,
        f"--num-nodes={spec['initialNodeCount']}",
        "--enable-autoscaling",
        f"--total-min-nodes={spec['autoscaling']['totalMinNodeCount']}",
        f"--total-max-nodes={spec['autoscaling']['totalMaxNodeCount']}",
        f"--location-policy={spec['autoscaling']['locationPolicy']}",
        f"--max-pods-per-node={spec['maxPodsPerNode']}",
        _switch("enable-private-nodes", on=spec["networkConfig"]["enablePrivateNodes"]),
        _switch("enable-autorepair", on=spec["management"]["autoRepair"]),
        _switch("enable-autoupgrade", on=spec["management"]["autoUpgrade"]),
        f"--max-surge-upgrade={spec['upgradeSettings']['maxSurge']}",
        f"--max-unavailable-upgrade={spec['upgradeSettings']['maxUnavailable']}",
        *_node_flags(site, config),
        *([f"--sandbox=type={sandbox['sandboxType']}"] if sandbox else []),
        where=where,
    )


def clusters(site: Site) -> Step:
    """The cluster. GKE insists on a first pool, which goes once the real ones are there."""
    concern = cluster.concern(site)
    name, spec = _one(concern, "ContainerCluster")
    pools = list(_objects(concern, "ContainerNodePool"))
    project = f"--project={site.environment.project}"
    location = f"--location={spec['location']}"
    where = (project, location, f"--cluster={name}")
    addons = [gke for field, gke in _ADDONS.items() if _added(spec["addonsConfig"].get(field, {}))]
    default = ("gcloud", "container", "node-pools", "describe", "default-pool", *where)
    gone = ("bash", "-c", f"! {' '.join(default)}")
    return Step(
        "The cluster and its nodes",
        [
            made(
                ("container", "clusters"),
                name,
                f"--node-locations={','.join(spec['nodeLocations'])}",
                f"--num-nodes={spec['initialNodeCount']}",
                f"--cluster-version={spec['minMasterVersion']}",
                f"--release-channel={spec['releaseChannel']['channel'].lower()}",
                f"--network={spec['networkRef']['name']}",
                f"--subnetwork={spec['subnetworkRef']['name']}",
                "--enable-ip-alias",
                f"--cluster-secondary-range-name={spec['ipAllocationPolicy']['clusterSecondaryRangeName']}",
                f"--services-secondary-range-name={spec['ipAllocationPolicy']['servicesSecondaryRangeName']}",
                "--enable-dataplane-v2",
                f"--default-max-pods-per-node={spec['defaultMaxPodsPerNode']}",
                _switch("enable-intra-node-visibility", on=spec["enableIntranodeVisibility"]),
                *_ways_in(spec),
                f"--workload-pool={spec['workloadIdentityConfig']['workloadPool']}",
                _switch("enable-shielded-nodes", on=spec["enableShieldedNodes"]),
                _switch("enable-legacy-authorization", on=spec["enableLegacyAbac"]),
                _switch(
                    "issue-client-certificate",
                    on=spec["masterAuth"]["clientCertificateConfig"]["issueClientCertificate"],
                ),
                f"--addons={','.join(addons)}",
                *_node_flags(site, {**pools[0][1]["nodeConfig"], **FIRST_NODES}),
                where=(project, location),
            ),
            *(_pool(site, pool, pool_spec, where) for pool, pool_spec in pools),
            Command(("gcloud", "container", "node-pools", "delete", "default-pool", *where, "--quiet"), gone),
        ],
    )


def _added(config: dict[str, bool]) -> bool:
    return config.get("enabled", False) or config.get("disabled") is False


def config_connector_account(site: Site) -> Step:
    """The account that owns everything from now on: exactly the roles that access.yaml gives it."""
    project = site.environment.project
    account = next(one for one in accounts() if one.name == google.CONFIG_CONNECTOR)
    own, nodes = (names.google_account(name, project) for name in (google.CONFIG_CONNECTOR, google.NODES))

    def binding(on: str, member: str, role: str) -> Command:
        words = ("gcloud", "iam", "service-accounts", "add-iam-policy-binding", on, f"--project={project}")
        return Command((*words, f"--member=serviceAccount:{member}", f"--role={role}", "--format=none"))

    return Step(
        "Config Connector's account",
        [
            _account(site, google.CONFIG_CONNECTOR),
            *(_grant(site, google.CONFIG_CONNECTOR, role) for role in access.own_roles(site)),
            binding(nodes, own, google.SERVICE_ACCOUNT_USER),
            binding(own, f"{project}.svc.id.goog[{account.acts}]", google.WORKLOAD_IDENTITY_USER),
        ],
    )
