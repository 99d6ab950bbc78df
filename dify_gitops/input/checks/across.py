"""What two environments may not share, and what of an environment does not fit to the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.input.buckets import backup_bucket, files_bucket, plugin_bucket
from dify_gitops.input.checks import Complaint
from dify_gitops.input.words import dotted

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment, Platform
    from dify_gitops.input.nodes import Path

    # (what, its name in the world) → the file and the key that claimed it first.
    Owners = dict[tuple[str, str], tuple[str, Path]]


def taken(environment: Environment, file: str, owners: Owners) -> Complaints:
    """What an earlier environment, or an earlier key, has for itself. Adds ``file`` to ``owners``.

    One project holds one environment: two would fight over the same names of cluster, address and accounts.
    Buckets have no default of their own to complain about where the project is the problem already.
    """
    claims: list[tuple[Path, str, str]] = [
        (("project",), "project", environment.project),
        (("domain",), "domain", environment.domain),
        (("storage", "bucket"), "bucket", files_bucket(environment)),
        (("storage", "pluginBucket"), "bucket", plugin_bucket(environment)),
        (("storage", "backupBucket"), "bucket", backup_bucket(environment)),
    ]
    same_project = False
    for path, what, name in claims:
        owner, key = owners.setdefault((what, name), (file, path))
        if (owner, key) == (file, path) or (what == "bucket" and same_project):
            continue
        same_project = same_project or what == "project"
        whose = owner if owner != file else dotted(key)
        message = f"{name} is the {what} of {whose} already"
        yield Complaint(path, message, f"each needs its own {what}", also=(key,))


def token(environment: Environment, platform: Platform) -> Complaints:
    """A repository that is read over SSH is opened with a key, which bootstrap makes."""
    if environment.argocd.repository_token and platform.over_ssh:
        message = "opens an https repository, but that of platform.yaml is read over SSH"
        hint = "remove it, bootstrap makes a deploy key; or give 'repository' in platform.yaml its https URL"
        yield Complaint(("argocd", "repositoryToken"), message, hint)
