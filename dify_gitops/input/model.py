"""The typed input. Defaults are those of profile prod (the architecture's own); profiles.py holds the others.

No ``from __future__ import annotations`` here: loader, JSON Schema and README read the real types.
"""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from dify_gitops.catalogue import releases
from dify_gitops.input import formats as f


def doc(description: str, **bounds: Any) -> Meta:
    """What README and JSON Schema say about a key; ``bounds`` are Meta's ``ge``, ``le``, ``min_length``."""
    return Meta(description=description, **bounds)


class Model(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Base of all input types: immutable, unknown keys refused, camelCase keys as in Kubernetes."""


Port = Annotated[int, Meta(ge=1, le=65535)]


class Amount(Model, frozen=True):
    """CPU and memory of one container."""

    cpu: Annotated[f.Cpu, doc("CPU; 1000m is one core")]
    memory: Annotated[f.Bytes, doc("memory")]


class Sized(Model, frozen=True):
    """What one container asks for and may use at most."""

    requests: Annotated[Amount, doc("what the scheduler reserves")]
    limits: Annotated[Amount, doc("the most it may use")]


def _amount(cpu: str, memory: str) -> Amount:
    return Amount(cpu=cpu, memory=memory)


class Network(Model, frozen=True):
    """Address ranges. None may overlap another one, of this environment."""

    nodes: Annotated[f.Cidr, doc("nodes (primary range of the subnet)")] = "10.0.0.0/16"
    pods: Annotated[f.Cidr, doc("pods; every node takes a /24 of it")] = "10.1.0.0/16"
    services: Annotated[f.Cidr, doc("Kubernetes Services")] = "10.2.0.0/16"
    private_services: Annotated[f.Cidr, doc("Cloud SQL and Memorystore (private services access)")] = "10.3.0.0/16"
    control_plane: Annotated[f.Cidr, doc("GKE's control plane, a /28")] = "172.16.0.0/28"


class Nat(Model, frozen=True):
    """Cloud NAT, the way out."""

    addresses: Annotated[
        int, doc("fixed public addresses, for lists that partners keep; 0: Google chooses", ge=0, le=16)
    ] = 0


class AuthorizedNetwork(Model, frozen=True):
    """Who may reach the API server by its public address."""

    name: Annotated[str, doc("whose range it is", min_length=1)]
    cidr: Annotated[f.Cidr, doc("public range")]


class Cluster(Model, frozen=True):
    """The GKE cluster."""

    release_channel: Annotated[
        Literal["RAPID", "REGULAR", "STABLE"], doc("how soon GKE upgrades control plane and nodes")
    ] = "REGULAR"
    zones: Annotated[tuple[f.Zone, ...], doc("zones of the nodes; without any: three of the region")] = ()
    authorized_networks: Annotated[
        tuple[AuthorizedNetwork, ...],
        doc("opens the API server's public address to these ranges, in place of the DNS endpoint"),
    ] = ()


class Nodes(Model, frozen=True):
    """Nodes of the pool, in total over all zones."""

    min: Annotated[int, doc("nodes that are always there", ge=1, le=1000)] = 1
    max: Annotated[int, doc("nodes at most", ge=1, le=1000)] = 10
    pool: Annotated[f.PoolName, doc("pool's name; another machine or disk means a new name here")] = "dify-a"
    machine: Annotated[f.MachineType, doc("machine type")] = "e2-standard-4"
    disk: Annotated[int, doc("boot disk in GB", ge=20, le=2000)] = 100


class PrivateServiceConnect(Model, frozen=True):
    """A second way to the database, an endpoint in the nodes' subnet. What the instance reports comes later."""

    service_attachment: Annotated[
        f.ServiceAttachment | None, doc("`status.pscServiceAttachmentLink` of the SQLInstance, once it exists")
    ] = None
    dns_name: Annotated[f.DnsName | None, doc("`status.dnsName` of the SQLInstance, once it exists")] = None


class Database(Model, frozen=True):
    """Cloud SQL for PostgreSQL."""

    instance: Annotated[f.InstanceName, doc("instance name; restoring into a new instance means a new name here")] = (
        "dify-postgres-a"
    )
    tier: Annotated[f.SqlTier, doc("machine of the instance")] = "db-custom-2-4096"
    availability: Annotated[Literal["REGIONAL", "ZONAL"], doc("REGIONAL keeps a standby in a second zone")] = "REGIONAL"
    max_connections: Annotated[int, doc("the server's limit; all pools together must fit", ge=25, le=262143)] = 200
    disk: Annotated[int, doc("disk in GB; grows by itself, never shrinks", ge=10, le=65536)] = 100
    disk_limit: Annotated[int, doc("GB up to which the disk grows", ge=10, le=65536)] = 500
    backup_time: Annotated[f.Time, doc("when the daily backup starts, in the environment's time zone")] = "03:00"
    backups: Annotated[int, doc("how many daily backups stay", ge=1, le=365)] = 30
    read_replica: Annotated[bool, doc("a second instance, for readers; REGIONAL's standby needs none")] = False
    private_service_connect: Annotated[
        PrivateServiceConnect | None, doc("`{}` adds a Private Service Connect endpoint: docs/operations.md")
    ] = None


class Redis(Model, frozen=True):
    """Memorystore for Redis."""

    instance: Annotated[f.RedisName, doc("instance name; another tier means a new name here")] = "dify-redis-a"
    memory: Annotated[int, doc("GB; never below what is in use", ge=1, le=300)] = 1
    tier: Annotated[Literal["STANDARD_HA", "BASIC"], doc("STANDARD_HA keeps a replica in a second zone")] = (
        "STANDARD_HA"
    )
    endpoint: Annotated[
        Literal["external-secrets", "job"],
        doc("who brings address and password to the pods; job: without External Secrets' alpha provider `crd`"),
    ] = "external-secrets"


class Storage(Model, frozen=True):
    """Cloud Storage buckets. Names are unique in the world."""

    location: Annotated[f.BucketLocation, doc("where the data lies, multi-region or region; never changes")] = "ASIA"
    bucket: Annotated[f.BucketName | None, doc("files of Dify; default `<project>-dify`")] = None
    plugin_bucket: Annotated[
        f.BucketName | None,
        doc("packages of plugins, from plugin daemon 0.5.7 on; default `<project>-dify-plugins`"),
    ] = None
    backup_bucket: Annotated[f.BucketName | None, doc("backups of Weaviate; default `<project>-dify-weaviate`")] = None


class Image(Model, frozen=True):
    """Where one image comes from instead of its default."""

    name: Annotated[f.ImageName | None, doc("another repository")] = None
    tag: Annotated[f.Tag | None, doc("another tag")] = None
    digest: Annotated[f.Digest | None, doc("exactly this image; wins over the tag")] = None


class Images(Model, frozen=True):
    """Images. Every tag has a default: Dify's from the version, the others tested with this generator."""

    registry: Annotated[f.ImageName | None, doc("mirror that holds all images under their own paths")] = None
    api: Annotated[Image, doc("api, worker, beat, migration")] = Image()
    web: Annotated[Image, doc("web")] = Image()
    sandbox: Annotated[Image, doc("sandbox")] = Image()
    plugin_daemon: Annotated[Image, doc("plugin daemon")] = Image()
    weaviate: Annotated[Image, doc("Weaviate")] = Image()
    ssrf_proxy: Annotated[Image, doc("SSRF proxy (squid)")] = Image()
    plugin_gateway: Annotated[Image, doc("nginx before the plugin daemon")] = Image()
    cloud_sql_proxy: Annotated[Image, doc("Cloud SQL Auth Proxy sidecar")] = Image()
    redis_tunnel: Annotated[Image, doc("HAProxy sidecar that speaks TLS to Redis")] = Image()
    backup: Annotated[Image, doc("Python of the small scripts: Weaviate's backups, restarts")] = Image()


class Web(Sized, frozen=True):
    """The console and the published apps' pages."""

    min: Annotated[int, doc("replicas at least", ge=1, le=100)] = 2
    max: Annotated[int, doc("replicas at most", ge=1, le=100)] = 4
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("100m", "256Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("500m", "1Gi")


class Api(Sized, frozen=True):
    """The API; chats and streams run here."""

    min: Annotated[int, doc("replicas at least", ge=1, le=100)] = 2
    max: Annotated[int, doc("replicas at most", ge=1, le=100)] = 4
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("250m", "512Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("1000m", "2Gi")


class Pool(Sized, frozen=True):
    """Workers that take the same queues."""

    min: Annotated[int, doc("replicas at least; 0 only where no queue is polled every minute", ge=0, le=100)] = 1
    max: Annotated[int, doc("replicas at most", ge=1, le=100)] = 4
    concurrency: Annotated[int, doc("tasks that one pod runs at a time", ge=1, le=64)] = 4
    queues: Annotated[
        tuple[f.QueueName, ...],
        doc("queues; `[rest]`: all that no other pool names; `interactive` without any: where someone waits"),
    ] = ()
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("250m", "512Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("1000m", "2Gi")


class Worker(Model, frozen=True):
    """Celery workers. The pools `interactive` and `batch` always exist; more may be added beside them."""

    pools: Annotated[dict[f.DnsLabel, Pool], doc("pools by name")] = {}


class Beat(Sized, frozen=True):
    """The clock of all scheduled tasks; exactly one replica, or every schedule would fire twice."""

    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("100m", "256Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("500m", "512Mi")


class Sandbox(Sized, frozen=True):
    """Runs the code that users write."""

    replicas: Annotated[int, doc("replicas", ge=1, le=100)] = 2
    gvisor: Annotated[bool, doc("nodes of its own, with gVisor; Dify does not test it: try dev first")] = False
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("100m", "256Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("500m", "1Gi")


class PluginDaemon(Sized, frozen=True):
    """Runs plugins, among them every model provider; exactly one replica, it is not made for more."""

    volume: Annotated[f.Bytes, doc("volume for packages and their virtual environments; can grow, never shrink")] = (
        "20Gi"
    )
    ports: Annotated[tuple[Port, ...], doc("TCP ports on the internet that plugins may call", min_length=1)] = (443,)
    remote_debugging: Annotated[bool, doc("lets plugin developers attach over a port-forward to 5003")] = False
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("250m", "512Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("1000m", "2Gi")


class SsrfProxy(Sized, frozen=True):
    """The way out for HTTP nodes and user code; refuses private destinations."""

    replicas: Annotated[int, doc("replicas", ge=1, le=100)] = 2
    ports: Annotated[tuple[Port, ...], doc("TCP ports on the internet that it connects to", min_length=1)] = (80, 443)
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("100m", "128Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("500m", "512Mi")


class PluginGateway(Sized, frozen=True):
    """nginx that tells plugins under which public address they were called (`/e/`)."""

    replicas: Annotated[int, doc("replicas", ge=1, le=100)] = 2
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("50m", "64Mi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("250m", "128Mi")


class Backup(Model, frozen=True):
    """Nightly backup of Weaviate into the backup bucket."""

    schedule: Annotated[f.Cron, doc("when, in the environment's time zone")] = "30 2 * * *"
    keep: Annotated[int, doc("how many of the last backups stay", ge=1, le=365)] = 7


class Weaviate(Sized, frozen=True):
    """The vector store."""

    volume: Annotated[f.Bytes, doc("data volume; can grow, never shrink")] = "100Gi"
    backup: Annotated[Backup, doc("nightly backup")] = Backup()
    requests: Annotated[Amount, doc("what the scheduler reserves")] = _amount("500m", "1Gi")
    limits: Annotated[Amount, doc("the most it may use")] = _amount("2000m", "4Gi")


class Smtp(Model, frozen=True):
    """Mail server for invitations and password resets."""

    server: Annotated[f.Domain, doc("host name")]
    username: Annotated[str, doc("account at the server")]
    sender: Annotated[f.Email, doc("address in From")]
    password_secret: Annotated[f.SecretName, doc("name of the Secret Manager secret that holds the password")]
    port: Annotated[Literal[465, 587], doc("465: TLS from the start; 587: STARTTLS")] = 587


class Edge(Model, frozen=True):
    """Who may come in through the load balancer (Cloud Armor)."""

    allow: Annotated[
        tuple[f.Cidr, ...], doc("only these ranges may come in; without any: everybody. Ends the uptime check")
    ] = ()
    deny: Annotated[tuple[f.Cidr, ...], doc("these ranges may not")] = ()
    requests_per_minute: Annotated[int, doc("from one address; more is answered with 429", ge=10, le=1000000)] = 1200
    waf: Annotated[
        Literal["preview", "enforce"], doc("preview: the WAF rules only log; enforce once the logs are clean")
    ] = "preview"


class Dns(Model, frozen=True):
    """Cloud DNS."""

    managed: Annotated[bool, doc("false where DNS lives elsewhere: point the domain to the address by hand")] = True
    zone: Annotated[f.Domain | None, doc("zone that holds the domain; default the domain itself")] = None


class Logs(Model, frozen=True):
    """Cloud Logging."""

    retention_days: Annotated[int, doc("days that logs stay", ge=1, le=3650)] = 30


class Oidc(Model, frozen=True):
    """How people log in to Argo CD; its own admin account is off then."""

    issuer: Annotated[f.HttpsUrl, doc("issuer of the identity provider")]
    client_id: Annotated[str, doc("client that the provider knows Argo CD as", min_length=1)]
    platform: Annotated[tuple[f.GroupName, ...], doc("groups that may sync, and read everything", min_length=1)]
    client_secret: Annotated[
        f.SecretName | None, doc("name of the Secret Manager secret of a confidential client; without it: PKCE")
    ] = None
    viewers: Annotated[tuple[f.GroupName, ...], doc("groups that may only look")] = ()


class Slack(Model, frozen=True):
    """Where Argo CD reports a failed sync and a degraded Application; without it only alert policies do."""

    channel: Annotated[str, doc("channel's name", min_length=1)]
    token: Annotated[f.SecretName, doc("name of the Secret Manager secret that holds the bot's token")]


class SyncWindow(Model, frozen=True):
    """When Argo CD may, or may not, change `infra` and `dify` by itself. A person may always sync."""

    kind: Annotated[Literal["allow", "deny"], doc("an allow window forbids all other times")]
    schedule: Annotated[f.Cron, doc("when it begins, in the environment's time zone")]
    duration: Annotated[f.Duration, doc("how long it lasts")]


class Argocd(Model, frozen=True):
    """How this environment follows Git."""

    revision: Annotated[
        f.GitRevision | None, doc("what infra and dify follow, a branch, tag or commit; default the platform's branch")
    ] = None
    manual: Annotated[
        tuple[Literal["infra", "dify"], ...], doc("Applications that only a person syncs: the gate after the merge")
    ] = ()
    sync_windows: Annotated[tuple[SyncWindow, ...], doc("when changes may happen")] = ()
    url: Annotated[f.HttpsUrl, doc("where people open Argo CD; the default is a port-forward")] = (
        "https://localhost:8080"
    )
    repository_token: Annotated[
        f.SecretName | None,
        doc("name of the Secret Manager secret with a read-only token, for a private https repository"),
    ] = None
    oidc: Annotated[Oidc | None, doc("how people log in; without it only Argo CD's own admin can")] = None
    slack: Annotated[Slack | None, doc("where failures are told")] = None


class Variables(Model, frozen=True):
    """More environment variables of Dify. Values are text; secrets and what other keys decide are refused."""

    secrets: Annotated[
        dict[f.VariableName, f.SecretName],
        doc("for api, worker and beat: variables whose value is a Secret Manager secret, by its name"),
    ] = {}
    dify: Annotated[dict[f.VariableName, str], doc("for api, worker and beat")] = {}
    web: Annotated[dict[f.VariableName, str], doc("for web")] = {}
    plugin_daemon: Annotated[dict[f.VariableName, str], doc("for the plugin daemon")] = {}
    sandbox: Annotated[dict[f.VariableName, str], doc("for the sandbox")] = {}


if TYPE_CHECKING:
    _Version = str
else:
    _Version = Literal[tuple(releases.RELEASES)]  # the catalogue is the list


class Environment(Model, frozen=True):
    """One environment: one Google Cloud project with one cluster."""

    project: Annotated[f.ProjectId, doc("Google Cloud project, one for each environment")]
    region: Annotated[f.Region, doc("where everything runs")]
    domain: Annotated[f.Domain, doc("host name of this Dify, for everything it serves")]
    profile: Annotated[
        Literal["prod", "dev"], doc("which defaults: production (if left out), or the same at trial size")
    ] = "prod"
    dify: Annotated[_Version, doc("Dify version; promotion is this line")] = releases.DEFAULT
    kubernetes: Annotated[f.KubernetesMinor, doc("minor version of the cluster")] = "1.35"
    time_zone: Annotated[f.TimeZone, doc("time zone of schedules")] = "Etc/UTC"
    high_availability: Annotated[bool, doc("survive the loss of a zone; production must")] = True
    deletion_protection: Annotated[
        bool, doc("locks on everything that holds data; only a dev environment may do without")
    ] = True
    network: Annotated[Network, doc("address ranges")] = Network()
    nat: Annotated[Nat, doc("Cloud NAT")] = Nat()
    cluster: Annotated[Cluster, doc("GKE cluster")] = Cluster()
    nodes: Annotated[Nodes, doc("node pool, in total over all zones")] = Nodes()
    database: Annotated[Database, doc("Cloud SQL for PostgreSQL")] = Database()
    redis: Annotated[Redis, doc("Memorystore for Redis")] = Redis()
    storage: Annotated[Storage, doc("Cloud Storage buckets")] = Storage()
    edge: Annotated[Edge, doc("load balancer")] = Edge()
    dns: Annotated[Dns, doc("Cloud DNS")] = Dns()
    logs: Annotated[Logs, doc("Cloud Logging")] = Logs()
    argocd: Annotated[Argocd, doc("Argo CD")] = Argocd()
    images: Annotated[Images, doc("where images come from")] = Images()
    web: Annotated[Web, doc("web")] = Web()
    api: Annotated[Api, doc("API")] = Api()
    worker: Annotated[Worker, doc("workers")] = Worker()
    beat: Annotated[Beat, doc("scheduler of tasks")] = Beat()
    sandbox: Annotated[Sandbox, doc("code sandbox")] = Sandbox()
    plugin_daemon: Annotated[PluginDaemon, doc("plugin daemon")] = PluginDaemon()
    plugin_gateway: Annotated[PluginGateway, doc("nginx before the plugin daemon")] = PluginGateway()
    ssrf_proxy: Annotated[SsrfProxy, doc("SSRF proxy")] = SsrfProxy()
    weaviate: Annotated[Weaviate, doc("vector store")] = Weaviate()
    smtp: Annotated[Smtp | None, doc("mail server; without it Dify sends no mail")] = None
    variables: Annotated[Variables, doc("more environment variables of Dify")] = Variables()


class Waiver(Model, frozen=True):
    """A finding that is accepted. One that waives nothing is itself a finding."""

    rule: Annotated[str, doc("id of the rule, as `gen.py check` prints it", min_length=1)]
    object: Annotated[str, doc("`Kind namespace/name`, as `gen.py check` prints it", min_length=1)]
    reason: Annotated[str, doc("why this is acceptable", min_length=1)]
    field: Annotated[str, doc("only this field; rules with a hundred facts about Google Cloud ask for it")] = ""


class Platform(Model, frozen=True):
    """What all environments share."""

    repository: Annotated[f.GitUrl, doc("URL of the Git repository that holds this tree")]
    contact: Annotated[f.Email, doc("who is called when something breaks")]
    branch: Annotated[f.GitBranch, doc("branch that is deployed")] = "main"
    owners: Annotated[
        tuple[str, ...], doc("teams or people who answer for it; `@org/team`, `@user` and e-mail addresses review")
    ] = ()
    labels: Annotated[dict[f.LabelKey, f.LabelValue], doc("labels of every object")] = {}
    waivers: Annotated[tuple[Waiver, ...], doc("accepted findings, each with its reason")] = ()

    @property
    def over_ssh(self) -> bool:
        """Whether the repository is read with a key; else it is https, with a token where it is private."""
        return not self.repository.startswith("https://")
