"""Every name that more than one module writes: namespaces, labels, annotations, waves, resource and folder names."""

from __future__ import annotations

# Namespaces. The sandbox needs root, so it has one of its own (Pod Security baseline).
DIFY = "dify"
SANDBOX = "dify-sandbox"
INFRA = "dify-infra"  # Config Connector's objects: all of Google Cloud
EXTERNAL_SECRETS = "external-secrets"  # also the name of its ServiceAccount
CONFIG_CONNECTOR = "cnrm-system"
KEDA = "keda"
ARGOCD = "argocd"

# Labels of every object (https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/).
NAME = "app.kubernetes.io/name"
COMPONENT = "app.kubernetes.io/component"
PART_OF = "app.kubernetes.io/part-of"
NAMESPACE_NAME = "kubernetes.io/metadata.name"  # set by the API server on every namespace

# Our own annotations.
PREFIX = "dify-gitops.dev"
NO_PROBES = f"{PREFIX}/no-probes"  # value: the reason why a container cannot be probed

# Argo CD (https://argo-cd.readthedocs.io/en/stable/user-guide/annotations-and-labels/).
SYNC_WAVE = "argocd.argoproj.io/sync-wave"
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
HOOK = "argocd.argoproj.io/hook"
HOOK_DELETE_POLICY = "argocd.argoproj.io/hook-delete-policy"
KEEP = "Prune=false,Delete=false"  # for what holds data: Argo CD never removes it

COMPARE_OPTIONS = "argocd.argoproj.io/compare-options"
CASCADES = "resources-finalizer.argocd.argoproj.io"  # the beginning of every finalizer that does
FINALIZER = f"{CASCADES}/foreground"  # deleting the Application deletes its objects
ARGOCD_PART = {PART_OF: "argocd"}  # Argo CD reads only settings and Secrets with this label

# What bootstrap applies of argocd/<env>, so that Argo CD finds the rest by itself.
BOOTSTRAP = f"{PREFIX}/bootstrap"

# External Secrets' hash over the values of a Secret: external-secrets/external-secrets, apis/externalsecrets/v1,
# AnnotationDataHash.
DATA_HASH = "reconcile.external-secrets.io/data-hash"

# Our own hash over all Secrets of a workload, on it and on its pods.
SECRETS_HASH = f"{PREFIX}/secrets"
RESTART = "restart"  # the workload that compares them
RESTART_LIST = "restart-workloads"

# Google Cloud.
GOOGLE_SERVICE_ACCOUNT = "iam.gke.io/gcp-service-account"

# Config Connector (https://cloud.google.com/config-connector/docs/reference/overview).
CNRM = "cnrm.cloud.google.com"
PROJECT_ID = f"{CNRM}/project-id"
STATE_INTO_SPEC = f"{CNRM}/state-into-spec"
DELETION_POLICY = f"{CNRM}/deletion-policy"  # abandon: deleting the object leaves what it stands for
DISABLE_ON_DESTROY = f"{CNRM}/disable-on-destroy"
REMOVE_DEFAULT_NODE_POOL = f"{CNRM}/remove-default-node-pool"
UNMANAGED = f"{CNRM}/unmanaged"
ABANDON = "abandon"

# Order inside the Application `infra`. A reference to what is not there yet fails the sync, so what is referred to
# comes in an earlier wave.
WAVE_PROJECT = "-10"  # namespace, Config Connector itself
WAVE_APIS = "-9"
WAVE_NETWORK = "-8"  # network, service accounts, empty secrets
WAVE_SUBNETS = "-7"  # subnet, addresses, router, firewall
WAVE_NAT = "-6"  # NAT, peering
WAVE_IAM = "-5"  # permissions; secret stores
WAVE_INSTANCES = "-4"  # cluster, database instance, Redis, buckets; first values of secrets
WAVE_SECRETS = "-3"  # Secrets; the same number in `dify`
WAVE_CONTENTS = "-2"  # node pool, databases, users, what refers to a bucket
WAVE_REST = "-1"  # policies of the edge, zones, channels, log buckets
# wave 0: records, alert policies, dashboards, sinks, backup plans: nothing waits for them

# Order inside the Application `root`. What Applications and External Secrets need comes first, and they come last: a
# wave after them would wait for the health of everything.
WAVE_NAMESPACES = "-2"
WAVE_SETTINGS = "-1"  # settings and projects

# Order inside the Application `dify`: what is in a lower wave is healthy before the next one starts.
WAVE_FOUNDATION = "-4"  # namespaces, identities, configuration, network policies, classes, secret stores
WAVE_BACKENDS = "-2"  # Weaviate, SSRF proxy, sandbox
WAVE_MIGRATION = "-1"
WAVE_APPLICATION = "0"  # api, workers, beat, plugin daemon, web
WAVE_TRAFFIC = "1"  # scalers, disruption budgets, Ingress, schedules

# Names that other parts of the repository refer to: one address, certificate, policy … per environment.
ADDRESS = "dify"
CERTIFICATE = "dify"
SECURITY_POLICY = "dify"
SSL_POLICY = "dify"

# Names of what exists once per environment.
NETWORK = "dify"
SUBNET = "dify"
PODS_RANGE = "pods"
SERVICES_RANGE = "services"
PRIVATE_SERVICES = "dify-private-services"  # range of Cloud SQL and Memorystore
CLUSTER = "dify"
NODE_TAG = "dify-node"
ROUTER = "dify"
NAT = "dify"
LOG_BUCKET = "dify"
ALERTS = "dify-contact"  # the channel of all alerts

SECRET_STORE = "secret-manager"  # noqa: S105 - a name; one in each namespace that reads secrets
REDIS_STORE = "redis-instance"  # what the RedisInstance reports
REDIS_ENDPOINT = "redis-endpoint"  # the workload that reads it where External Secrets does not
REDIS_READER = "redis-reader"  # the ServiceAccount with which that store reads

STORAGE_CLASS = "dify-retain"

PRIORITY_DATA = "dify-data"
PRIORITY_SERVING = "dify-serving"
PRIORITY_BATCH = "dify-batch"


def account_domain(project: str) -> str:
    """What follows the ``@`` in the e-mail of each service account of a project."""
    return f"{project}.iam.gserviceaccount.com"


def google_account(workload: str, project: str) -> str:
    """E-mail of the Google service account of a workload: ``dify-<workload>@<project>.iam.gserviceaccount.com``."""
    return f"dify-{workload}@{account_domain(project)}"


def replica(instance: str) -> str:
    """Name of the read replica of a Cloud SQL instance."""
    return f"{instance}-replica"


def host(service: str, namespace: str = DIFY) -> str:
    """Cluster-wide DNS name of a Service, complete so that no search path is tried."""
    return f"{service}.{namespace}.svc.cluster.local"
