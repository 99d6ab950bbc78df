"""Rules over Applications: what they sync, and that nothing in them destroys.

https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.input.words import nearest
from dify_gitops.rules.access import integer, mapping, maps, text, texts
from dify_gitops.rules.argocd.ignored import parsed
from dify_gitops.rules.cluster import made_secret
from dify_gitops.rules.rule import Flaw, meant, rule
from dify_gitops.rules.waves import wave, wave_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery

_BOOLEAN = (
    "ApplyOutOfSyncOnly",
    "ClientSideApplyMigration",
    "CreateNamespace",
    "FailOnSharedResource",
    "PruneLast",
    "Replace",
    "RespectIgnoreDifferences",
    "ServerSideApply",
    "SkipDryRunOnMissingResource",
    "Validate",
)
OPTIONS = frozenset(
    (
        *(f"{name}={value}" for name in _BOOLEAN for value in ("true", "false")),
        *(f"PrunePropagationPolicy={policy}" for policy in ("background", "foreground", "orphan")),
        *(f"{name}={value}" for name in ("Delete", "Prune") for value in ("confirm", "false", "true")),
    )
)
_DESTROYS = {
    "Replace=true": "deletes what it replaces",
    "Force=true": "deletes and makes anew what it cannot change",
    "CreateNamespace=true": "makes a namespace that no manifest owns, without Pod Security and locks",
    "Validate=false": "lets invalid objects through",
}
_WANTED = ("ServerSideApply=true", "RespectIgnoreDifferences=true", "FailOnSharedResource=true")
_FULL = re.compile(r"refs/(heads|tags)/\S+|[0-9a-f]{40}")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+(-[\w.]+)?")
_WORKLOADS = "overlays/"
# More than this, and Argo CD renders something else than kustomize does here.
_SOURCE = frozenset(("repoURL", "path", "targetRevision"))
_INSTEAD = ("sources", "sourceHydrator")  # of spec.source, which Argo CD then ignores


@rule(
    "argocd-option",
    why="Argo CD compares options letter by letter and passes over what it does not know, without a word",
    remedy="use a spelling of https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/",
)
def argocd_option(delivery: Delivery) -> Iterator[Flaw]:
    """Sync options exist, the reasoned ones are there, and none destroys."""
    for item in delivery.applications:
        given = texts(item.data, "spec", "syncPolicy", "syncOptions")
        field = "spec.syncPolicy.syncOptions"
        for option in given:
            if option in _DESTROYS:
                yield Flaw(item, field, f"{option} {_DESTROYS[option]}", "remove the option")
            elif option not in OPTIONS:
                yield Flaw(item, field, f"{option!r} means nothing to Argo CD", meant(nearest(option, OPTIONS)))
        for option in _WANTED:
            if option not in given:
                yield Flaw(item, field, f"lacks {option}", f"add {option}")
        if "ServerSideDiff=true" not in item.annotations.get(names.COMPARE_OPTIONS, ""):
            path = f"metadata.annotations[{names.COMPARE_OPTIONS}]"
            hint = "set it to ServerSideDiff=true"
            yield Flaw(item, path, "server-side apply without server-side diff shows differences that are none", hint)


@rule(
    "argocd-destroys",
    why="what Argo CD prunes or cascades is deleted at once: a cluster, a database, every Secret of a controller",
    remedy="leave pruning and finalizers to the workloads in overlays/, where data is locked",
)
def argocd_destroys(delivery: Delivery) -> Iterator[Flaw]:
    """Only workloads and controllers are pruned, only workloads go with their Application, and never to nothing."""
    for item in delivery.applications:
        automated = mapping(item.data, "spec", "syncPolicy", "automated")
        path = delivery.path(item)
        if automated.get("allowEmpty") is True:
            yield Flaw(item, "spec.syncPolicy.automated.allowEmpty", "lets an empty folder delete everything")
        if path and not path.startswith(_WORKLOADS) and automated.get("prune") is True:
            yield Flaw(item, "spec.syncPolicy.automated.prune", f"deletes what leaves {path}")
        finalizers = texts(item.data, "metadata", "finalizers")
        if not path.startswith(_WORKLOADS) and any(one.startswith(names.CASCADES) for one in finalizers):
            yield Flaw(item, "metadata.finalizers", "deleting this Application would delete all that it brought")


@rule(
    "argocd-retry",
    why="what an Application waits for may come from another one; after five failures Argo CD gives up on a commit",
    remedy="set retry.limit: -1 and retry.refresh: true, so that a retry takes the commit that mends it",
)
def argocd_retry(delivery: Delivery) -> Iterator[Flaw]:
    """Retries have no end, and take new commits."""
    for item in delivery.applications:
        retry = mapping(item.data, "spec", "syncPolicy", "retry")
        limit = integer(retry, "limit")
        if limit is None or limit >= 0:
            yield Flaw(item, "spec.syncPolicy.retry.limit", f"is {limit}" if limit is not None else "is not set")
        if retry.get("refresh") is not True:
            yield Flaw(item, "spec.syncPolicy.retry.refresh", "is not true")


@rule(
    "argocd-source",
    why="Argo CD shows a folder or version that is not there as an error that blocks everything; a moving one as news",
    remedy="name a folder that gen.py writes, and a revision or version in full",
)
def argocd_source(delivery: Delivery) -> Iterator[Flaw]:
    """Folders exist, belong to one Application and are synced as they are; revisions are complete, versions exact."""
    seen: dict[str, str] = {}
    for item in delivery.applications:
        source = mapping(item.data, "spec", "source")
        for key in _INSTEAD:
            if key in mapping(item.data, "spec"):
                yield Flaw(
                    item, f"spec.{key}", "is what Argo CD reads in place of spec.source", "write one spec.source"
                )
        revision = text(source, "targetRevision")
        path = delivery.path(item)
        if path and path not in delivery.folders:
            near = nearest(path, delivery.folders)
            yield Flaw(item, "spec.source.path", f"{path} is no kustomization of this environment", meant(near))
        elif path and seen.setdefault(path, item.name) != item.name:
            yield Flaw(item, "spec.source.path", f"{path} is synced by {seen[path]} already")
        for key in sorted(source.keys() - _SOURCE) if path else ():
            hint = f"remove it, and say it in {path}/custom"
            yield Flaw(item, f"spec.source.{key}", "changes what is rendered, after these checks", hint)
        exact = _FULL if path else _VERSION
        if not exact.fullmatch(revision):
            what = "refs/heads/…, refs/tags/… or 40 digits of a commit" if path else "one version, such as v1.2.3"
            said = revision or "nothing"
            yield Flaw(item, "spec.source.targetRevision", f"{said} may mean something else tomorrow", f"write {what}")


@rule(
    "argocd-wave",
    why="a wave that follows Applications waits until all of Dify is healthy, and again after each change",
    remedy="put Applications and what needs other controllers into the last wave, and all else before it",
)
def argocd_wave(delivery: Delivery) -> Iterator[Flaw]:
    """In argocd/ all Applications come in one wave, nothing after them, and nothing before that they install."""
    if not delivery.applications:
        return
    ((last, _),) = Counter(map(wave, delivery.applications)).most_common(1)
    judged = {flaw.object for flaw in wave_order.check(delivery.own)}
    for item in delivery.own.objects:
        field = f"metadata.annotations[{names.SYNC_WAVE}]"
        if wave(item) > last and item not in judged:
            yield Flaw(item, field, f"{wave(item)} is after the Applications, {last}")
        elif wave(item) < last and item.kind == "Application":
            yield Flaw(item, field, f"{wave(item)} is before the other Applications, {last}")
        elif wave(item) < last and item.kind in ("ExternalSecret", "SecretStore"):
            yield Flaw(item, field, f"{wave(item)} is before the Applications, {last}, which install its kind")


@rule(
    "argocd-hidden",
    why="what Argo CD is told not to watch it neither applies nor compares, although Git holds it",
    remedy="take the kind out of resource.exclusions",
)
def argocd_hidden(delivery: Delivery) -> Iterator[Flaw]:
    """Exclusions leave every kind alone that the repository holds."""
    held = {(item.group, item.kind) for cluster in delivery.folders.values() for item in cluster.objects}
    for settings in delivery.own.every("ConfigMap"):
        written = text(settings.data, "data", "resource.exclusions")
        for entry in maps({"entries": parsed(written)}, "entries"):
            groups, kinds = texts(entry, "apiGroups"), texts(entry, "kinds")
            for group, kind in sorted(held):
                if {"*", group}.intersection(groups) and {"*", kind}.intersection(kinds):
                    yield Flaw(settings, "data[resource.exclusions]", f"hides {kind}, which this environment holds")


@rule(
    "argocd-owner",
    why="two Applications that own one object undo each other's work for ever",
    remedy="keep the object in one of the folders",
)
def argocd_owner(delivery: Delivery) -> Iterator[Flaw]:
    """Every object is in one Application; of what Argo CD's own manifests hold, in none of ours."""
    seen: dict[tuple[str, str, str, str], str] = {}
    for application, item in delivery.owners():
        key = (item.group, item.kind, item.namespace, item.name)
        first = seen.setdefault(key, application.name)
        if first != application.name:
            yield Flaw(item, "", f"is in {application.name} and in {first}")
        made = ("Secret", made_secret(item)) if item.kind == "ExternalSecret" else (item.kind, item.name)
        if item.namespace == names.ARGOCD and made in delivery.upstream:
            what = "" if item.kind == made[0] else f"its {made[0]} {made[1]} "
            yield Flaw(
                item, "", f"{what}is in {application.name} and in the manifests of Argo CD", "give it another name"
            )
