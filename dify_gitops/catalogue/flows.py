"""Who calls whom inside of the cluster, once: NetworkPolicies on both sides derive from it.

Source: langgenius/dify, docker/docker-compose-template.yaml and the clients' code. Everything else is denied.
"""

from __future__ import annotations

import msgspec

from dify_gitops import names
from dify_gitops.catalogue import ports


class Flow(msgspec.Struct, frozen=True):
    """``caller`` opens TCP connections to ``ports`` of ``callee``; both are workload names."""

    caller: str
    callee: str
    ports: tuple[int, ...]


NAMESPACES = {"sandbox": names.SANDBOX}  # all other workloads live in names.DIFY

FLOWS = (
    *(
        flow
        for caller in ("api", "worker")
        for flow in (
            Flow(caller, "api", (ports.API,)),  # INTERNAL_FILES_URL
            Flow(caller, "plugin-daemon", (ports.PLUGIN_DAEMON,)),
            Flow(caller, "sandbox", (ports.SANDBOX,)),
            Flow(caller, "ssrf-proxy", (ports.SSRF_PROXY,)),
            Flow(caller, "weaviate", (ports.WEAVIATE, ports.WEAVIATE_GRPC)),
        )
    ),
    Flow("plugin-daemon", "api", (ports.API,)),
    Flow("plugin-gateway", "plugin-daemon", (ports.PLUGIN_DAEMON,)),
    Flow("sandbox", "ssrf-proxy", (ports.SSRF_PROXY,)),
    Flow("weaviate-backup", "weaviate", (ports.WEAVIATE,)),
)

# Where the load balancer's requests and health checks arrive.
PUBLIC = {"api": ports.API, "web": ports.WEB, "plugin-gateway": ports.PLUGIN_GATEWAY}

# Workloads that act as a Google service account, and those of them that talk to PostgreSQL and Redis.
GOOGLE = ("api", "beat", "migration", "plugin-daemon", "weaviate", "weaviate-backup", "worker")
POSTGRES = ("api", "beat", "migration", "plugin-daemon", "worker")
REDIS = ("api", "beat", "plugin-daemon", "worker")

# Direct connections to the internet on 443, beside the plugin daemon's and the SSRF proxy's own ports: Google's APIs,
# the marketplace, and for web the release notes on GitHub.
INTERNET = ("api", "beat", "migration", "web", "weaviate", "weaviate-backup", "worker")
