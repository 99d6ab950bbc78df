"""Rules over what protects data: every lock on every kind that holds some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.google import ALWAYS_LOCKED, LOCKED_KINDS
from dify_gitops.rules.access import get, text
from dify_gitops.rules.google.estate import service
from dify_gitops.rules.protection import replacing, unlocked
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate


@rule(
    "google-locked",
    why="deleting the object would delete the database, the bucket, the network …, with everything in it",
    remedy=f"put both locks back, deletion-policy: {names.ABANDON} and sync-options: {names.KEEP}",
)
def google_locked(estate: Estate) -> Iterator[Flaw]:
    """Kinds that hold data carry both annotations, unless the environment's input does without; accounts always."""
    platform = set(_platform_accounts(estate))
    for item in estate.objects:
        data = bool(service(item)) and (item.kind in LOCKED_KINDS or item in platform)
        always = item.kind in ALWAYS_LOCKED or item in platform
        if not always and not (data and estate.environment.deletion_protection):
            continue
        missing = unlocked(item.annotations.get(names.SYNC_OPTIONS, ""))
        if missing and item.kind != "Namespace":  # data-kept tells that
            yield Flaw(item, f"metadata.annotations[{names.SYNC_OPTIONS}]", f"lacks {' and '.join(missing)}")
        if data and item.annotations.get(names.DELETION_POLICY) != names.ABANDON:
            yield Flaw(item, f"metadata.annotations[{names.DELETION_POLICY}]", f"is not {names.ABANDON}")


def _platform_accounts(estate: Estate) -> Iterator[Object]:
    """The accounts of Config Connector and of the nodes: without them nothing can be changed, and no node starts."""
    emails = {text(item.data, "spec", "googleServiceAccount") for item in estate.objects}
    nodes = {
        (pool.namespace, text(pool.data, "spec", "nodeConfig", "serviceAccountRef", "name"))
        for pool in estate.of("ContainerNodePool")
    }
    for item in estate.of("IAMServiceAccount"):
        if estate.email(item) in emails or (item.namespace, item.name) in nodes:
            yield item


@rule(
    "google-deletion-protection",
    why="Google's own protection is the last one: a deleted instance takes its backups with it",
    remedy="set deletionProtectionEnabled: true; deletionPolicy: ABANDON on databases",
)
def google_deletion_protection(estate: Estate) -> Iterator[Flaw]:
    """Google's own protection is on where it exists."""
    if not estate.environment.deletion_protection:
        return
    for item in estate.of("SQLInstance"):
        if get(item.data, "spec", "settings", "deletionProtectionEnabled") is not True:
            yield Flaw(item, "spec.settings.deletionProtectionEnabled", "is not true")
    for item in estate.of("SQLDatabase"):
        if text(item.data, "spec", "deletionPolicy") != "ABANDON":
            yield Flaw(item, "spec.deletionPolicy", "is not ABANDON")


@rule(
    "google-replaced",
    why="Argo CD deletes an object that it replaces, and Config Connector deletes its resource with it",
    remedy="remove the option; what cannot change in place gets a new name: docs/operations.md",
)
def google_replaced(estate: Estate) -> Iterator[Flaw]:
    """No resource is replaced by Argo CD."""
    for item in estate.resources:
        for option in replacing(item.annotations.get(names.SYNC_OPTIONS, "")):
            yield Flaw(item, f"metadata.annotations[{names.SYNC_OPTIONS}]", f"has {option}")
