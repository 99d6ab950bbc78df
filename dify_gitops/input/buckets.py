"""Names of the buckets: the input's, or made from the project's id, which is as unique in the world."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment


def files_bucket(environment: Environment) -> str:
    """Bucket of Dify's files."""
    return environment.storage.bucket or f"{environment.project}-dify"


def plugin_bucket(environment: Environment) -> str:
    """Bucket of plugin packages: not Dify's, which holds the tenants' private keys."""
    return environment.storage.plugin_bucket or f"{environment.project}-dify-plugins"


def backup_bucket(environment: Environment) -> str:
    """Bucket of Weaviate's backups."""
    return environment.storage.backup_bucket or f"{environment.project}-dify-weaviate"
