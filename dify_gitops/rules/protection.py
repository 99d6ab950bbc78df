"""Rules over data and over Argo CD's annotations, which no schema checks: a typo is accepted and ignored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import get, maps, text
from dify_gitops.rules.rule import Flaw, meant, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster

_ARGO = "argocd.argoproj.io/"
# Exact spellings of v3.5: argoproj/argo-cd, gitops-engine/pkg/sync/common/types.go, docs/user-guide/sync-options.md.
_SYNC_OPTIONS = frozenset(
    "Delete=confirm Delete=false Force=true Prune=confirm Prune=false PruneLast=true Replace=false Replace=true "
    "ServerSideApply=false ServerSideApply=true SkipDryRunOnMissingResource=true Validate=false".split()
)
_HOOKS = frozenset("PreSync Sync PostSync SyncFail PreDelete PostDelete Skip".split())
_HOOK_POLICIES = frozenset("HookSucceeded HookFailed BeforeHookCreation".split())
_LISTS = {
    names.SYNC_OPTIONS: _SYNC_OPTIONS,
    names.HOOK: _HOOKS,
    names.HOOK_DELETE_POLICY: _HOOK_POLICIES,
    f"{_ARGO}compare-options": frozenset(
        "IgnoreExtraneous ServerSideDiff=true ServerSideDiff=false IncludeMutationWebhook=true".split()
    ),
    f"{_ARGO}ignore-healthcheck": frozenset(["true"]),
    f"{_ARGO}ignore-resource-updates": frozenset(["true"]),
}
# Keys without a list of values.
_KEYS = frozenset(
    (
        *_LISTS,
        names.SYNC_WAVE,
        f"{_ARGO}manifest-generate-paths",
        f"{_ARGO}refresh",
        f"{_ARGO}secret-type",
        f"{_ARGO}skip-reconcile",
        f"{_ARGO}tracking-id",
    )
)
_REPLACES = ("Force=true", "Replace=true")
_KEPT = ("Namespace", "PersistentVolumeClaim", "StatefulSet")


def listed(value: str) -> list[str]:
    """Argo CD splits at commas and trims blanks."""
    return [item.strip() for item in value.split(",")]


@rule(
    "data-kept",
    why="Argo CD deletes a volume or namespace that vanished from Git, with everything in it",
    remedy=f"annotate it with {names.SYNC_OPTIONS}: {names.KEEP}",
)
def data_kept(cluster: Cluster) -> Iterator[Flaw]:
    """Namespaces, volume claims and stateful sets are neither pruned nor deleted."""
    for item in cluster.every(*_KEPT):
        missing = unlocked(item.annotations.get(names.SYNC_OPTIONS, ""))
        if missing:
            yield Flaw(item, f"metadata.annotations[{names.SYNC_OPTIONS}]", f"lacks {' and '.join(missing)}")
    for item in cluster.every("StatefulSet"):
        for claim in maps(item.data, "spec", "volumeClaimTemplates"):
            missing = unlocked(text(claim, "metadata", "annotations", names.SYNC_OPTIONS))
            if missing:
                field = f"spec.volumeClaimTemplates[{text(claim, 'metadata', 'name')}].metadata.annotations"
                yield Flaw(item, field, f"lacks {' and '.join(missing)}")


@rule(
    "data-replaced",
    why="Argo CD deletes an object that it replaces: a namespace or volume with everything in it",
    remedy="remove the option; docs/operations.md tells how to change what Kubernetes does not let anybody edit",
)
def data_replaced(cluster: Cluster) -> Iterator[Flaw]:
    """Namespaces, volume claims and stateful sets are never replaced."""
    for item in cluster.every(*_KEPT):
        for option in replacing(item.annotations.get(names.SYNC_OPTIONS, "")):
            yield Flaw(item, f"metadata.annotations[{names.SYNC_OPTIONS}]", f"has {option}")


def replacing(options: str) -> list[str]:
    """Sync options that delete an object to make it anew."""
    return [option for option in _REPLACES if option in listed(options)]


def unlocked(options: str) -> list[str]:
    """Locks that sync options lack; to wait for somebody's confirmation is as good as never to delete."""
    given = [option.replace("=confirm", "=false") for option in listed(options)]
    return [option for option in listed(names.KEEP) if option not in given]


@rule(
    "argocd-annotation",
    why="Argo CD ignores an option that it does not know, without a word",
    remedy="use a spelling of https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/",
)
def argocd_annotation(cluster: Cluster) -> Iterator[Flaw]:
    """Sync options, hooks, deletion policies and waves are spelled as Argo CD reads them."""
    for item in cluster.objects:
        for key, value in item.annotations.items():
            known = _LISTS.get(key)
            wrong = [part for part in listed(value) if part not in known] if known else []
            if key == names.SYNC_WAVE and not re.fullmatch(r"-?\d+", value):
                wrong = [value]
            for part in wrong:
                yield Flaw(item, f"metadata.annotations[{key}]", f"{part!r} means nothing to Argo CD")
            if key not in _KEYS and key.lower().startswith(_ARGO):
                near = meant(nearest(key, _KEYS))
                yield Flaw(item, f"metadata.annotations[{key}]", "Argo CD knows no annotation of this name", near)


@rule(
    "volume-retained",
    why="with a claim the disk would go too",
    remedy="set reclaimPolicy: Retain, allowVolumeExpansion: true, and both retention policies of claims to Retain",
)
def volume_retained(cluster: Cluster) -> Iterator[Flaw]:
    """Storage classes keep disks and let them grow; stateful sets keep their claims."""
    for item in cluster.every("StorageClass"):
        if item.data.get("reclaimPolicy") != "Retain":
            yield Flaw(item, "reclaimPolicy", "is not Retain")
        if item.data.get("allowVolumeExpansion") is not True:
            yield Flaw(item, "allowVolumeExpansion", "is not true")
    for item in cluster.every("StatefulSet"):
        for when in ("whenDeleted", "whenScaled"):
            path = ("spec", "persistentVolumeClaimRetentionPolicy", when)
            if get(item.data, "spec", "volumeClaimTemplates") and text(item.data, *path) != "Retain":
                yield Flaw(item, ".".join(path), "is not Retain")
