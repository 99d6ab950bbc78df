"""All components, in the order in which they are applied."""

from __future__ import annotations

from dify_gitops.components import (
    api,
    beat,
    edge,
    migration,
    plugin_daemon,
    plugin_gateway,
    restart,
    sandbox,
    shared,
    ssrf_proxy,
    weaviate,
    web,
    worker,
)

COMPONENTS = (
    shared,
    ssrf_proxy,
    sandbox,
    weaviate,
    migration,
    api,
    worker,
    beat,
    plugin_daemon,
    plugin_gateway,
    web,
    edge,
    restart,
)
