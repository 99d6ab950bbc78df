"""Variables in sections, as they are read in a `.env` file."""

from __future__ import annotations

import msgspec

from dify_gitops import names
from dify_gitops.catalogue import ports
from dify_gitops.catalogue.releases import Variable


class Section(msgspec.Struct, frozen=True):
    """Variables that belong together, under a title."""

    title: str
    variables: tuple[Variable, ...]


def fixed(name: str, value: str, why: str = "") -> Variable:
    """A variable that is ours: the input may not set it."""
    return Variable(name, value, why)


def tunable(name: str, value: str, why: str = "") -> Variable:
    """A variable that the input may override."""
    return Variable(name, value, why, tunable=True)


def url(service: str, port: int, namespace: str = names.DIFY, scheme: str = "http") -> str:
    """Address of a Service inside of the cluster."""
    return f"{scheme}://{names.host(service, namespace)}:{port}"


SSRF_PROXY_URL = url("ssrf-proxy", ports.SSRF_PROXY)
API_URL = url("api", ports.API)

# Seconds. A stream may run for APP_MAX_EXECUTION_TIME; a worker's task for WORKFLOW_MAX_EXECUTION_TIME.
LONGEST_RUN = 1200
PLUGIN_CALL = 600  # one call of a plugin
# Google's load balancers keep idle connections for 600 s; a backend that closes earlier causes sporadic 502.
KEEP_ALIVE = 620
