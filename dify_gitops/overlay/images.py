"""Which images an environment runs, where they differ from the base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.catalogue import images
from dify_gitops.catalogue.releases import RELEASES, keyless_plugin_storage

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

# Key of the input → image, in the order of the list that people read.
_IMAGES = {
    "api": images.API,
    "web": images.WEB,
    "sandbox": images.SANDBOX,
    "plugin_daemon": images.PLUGIN_DAEMON,
    "weaviate": images.WEAVIATE,
    "ssrf_proxy": images.SQUID,
    "plugin_gateway": images.NGINX,
    "cloud_sql_proxy": images.CLOUD_SQL_PROXY,
    "redis_tunnel": images.HAPROXY,
    "backup": images.PYTHON,
}


# Key of the input → attribute of the release that holds the tag.
_FOLLOWS_DIFY = {
    "api": "version",
    "web": "version",
    "sandbox": "sandbox",
    "plugin_daemon": "plugin_daemon",
    "weaviate": "weaviate",
}


def effective_tag(environment: Environment, key: str) -> str:
    """The tag that runs: the user's, else the one of the Dify version, else the base's."""
    if tag := getattr(environment.images, key).tag:
        return str(tag)
    if key in _FOLLOWS_DIFY:
        return str(getattr(RELEASES[environment.dify], _FOLLOWS_DIFY[key]))
    return _IMAGES[key].partition(":")[2]


def keyless_plugins(environment: Environment) -> bool:
    """Whether the plugin daemon that runs keeps packages in a bucket."""
    return keyless_plugin_storage(effective_tag(environment, "plugin_daemon"))


def _mirrored(registry: str, image: str) -> str:
    """Path of an image in a mirror: the same, without the host it came from."""
    host, _, path = image.partition("/")
    return f"{registry}/{path if '.' in host else image}"


def transformers(environment: Environment) -> list[dict[str, Any]]:
    """Entries of kustomize's ``images``: what differs from the base, as every entry is a walk over all objects.

    A digest wins over the tag, as it does for the kubelet.
    """
    entries = []
    registry = environment.images.registry
    for key, pinned in _IMAGES.items():
        image, _, base_tag = pinned.partition(":")
        wanted = getattr(environment.images, key)
        name = wanted.name or (_mirrored(registry, image) if registry else "")
        tag = effective_tag(environment, key)
        if tag == base_tag and not (name or wanted.digest):
            continue
        entry: dict[str, Any] = {"name": image}
        if name:
            entry["newName"] = name
        if wanted.digest:
            entry["digest"] = wanted.digest
        else:
            entry["newTag"] = tag
        entries.append(entry)
    return entries
