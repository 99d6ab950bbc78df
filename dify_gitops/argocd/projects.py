"""projects.yaml: what each part of the repository may contain, and where that may go.

Every list is computed from what is rendered, so it permits that and nothing else. Whoever adds another kind in a
custom/ folder widens the project in argocd/<env>/custom, which the owners of production review.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.controllers import CONTROLLERS
from dify_gitops.gcp import Concern
from dify_gitops.k8s.objects import Identity, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Environment
    from dify_gitops.k8s.objects import Manifest

API = "argoproj.io/v1alpha1"
SERVER = "https://kubernetes.default.svc"
PLATFORM, INFRA, DIFY = "platform", "infra", "dify"


class Permitted(NamedTuple):
    """What an AppProject lets in: (group, kind, name or empty) without namespace, (group, kind) in ``namespaces``."""

    cluster: list[tuple[str, str, str]]
    kinds: list[tuple[str, str]]
    namespaces: list[str]


def permitted(objects: Iterable[Identity]) -> Permitted:
    """Exactly these objects; those without namespace by name."""
    cluster = {(one.group, one.kind, one.name) for one in objects if not one.namespace}
    kinds = {(one.group, one.kind) for one in objects if one.namespace}
    return Permitted(sorted(cluster), sorted(kinds), sorted({one.namespace for one in objects if one.namespace}))


def _platform(own: Sequence[Identity]) -> Permitted:
    """What argocd/<env> holds, and what the controllers' manifests consist of."""
    ours = permitted(own)
    theirs = {(*kind, "") for controller in CONTROLLERS for kind in controller.cluster_kinds}
    named = {entry for entry in ours.cluster if (*entry[:2], "") not in theirs}
    kinds = {kind for controller in CONTROLLERS for kind in controller.kinds}
    spaces = {space for controller in CONTROLLERS for space in controller.namespaces}
    return Permitted(sorted(named | theirs), sorted(kinds.union(ours.kinds)), sorted(spaces.union(ours.namespaces)))


def _windows(environment: Environment) -> list[dict[str, Any]]:
    return [
        {
            "kind": window.kind,
            "schedule": window.schedule,
            "duration": window.duration,
            "timeZone": environment.time_zone,
            "applications": ["*"],
            "manualSync": True,
        }
        for window in environment.argocd.sync_windows
    ]


def _project(
    why: str, name: str, sources: list[str], allowed: Permitted, *, windows: Any = None, bootstrap: bool = False
) -> Manifest:
    spec: dict[str, Any] = {
        "sourceRepos": sources,
        "destinations": [{"server": SERVER, "namespace": namespace} for namespace in allowed.namespaces],
        "clusterResourceWhitelist": [
            {"group": group, "kind": kind, **({"name": name} if name else {})} for group, kind, name in allowed.cluster
        ],
        "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in allowed.kinds],
    }
    if not bootstrap:  # the platform's namespaces hold what Kubernetes and GKE put there
        spec["orphanedResources"] = {"warn": True}
    if windows:
        spec["syncWindows"] = windows
    return manifest(
        why,
        (API, "AppProject"),
        name,
        namespace=names.ARGOCD,
        workload=name,
        wave=names.WAVE_SETTINGS,
        more_labels={names.BOOTSTRAP: "true"} if bootstrap else None,
        spec=spec,
    )


def _default() -> Manifest:
    nothing = {"group": "*", "kind": "*"}
    return manifest(
        "Argo CD makes this project with all rights; nothing may use it.",
        (API, "AppProject"),
        "default",
        namespace=names.ARGOCD,
        workload="argocd",
        wave=names.WAVE_SETTINGS,
        spec={
            "sourceRepos": [],
            "sourceNamespaces": [],
            "destinations": [],
            "clusterResourceWhitelist": [],
            "namespaceResourceBlacklist": [nothing],
        },
    )


def identities() -> list[Identity]:
    """The projects themselves, which the platform's project has to permit."""
    return [Identity("argoproj.io", "AppProject", names.ARGOCD, name) for name in ("default", PLATFORM, INFRA, DIFY)]


def concern(site: Site, own: Sequence[Identity], infra: Sequence[Identity], dify: Sequence[Identity]) -> Concern:
    """The projects; the arguments are all objects of argocd/, config-connector/ and overlays/ of one environment."""
    repository = site.platform.repository
    windows = _windows(site.environment)
    platform = [repository, *(controller.repository for controller in CONTROLLERS)]
    return Concern(
        "projects",
        "What each Application may contain, from where, and where it may go: computed from what is rendered.",
        [
            _default(),
            _project(
                "Administrators: who may change this project's objects may do everything in this cluster.",
                PLATFORM,
                platform,
                _platform(own),
                bootstrap=True,
            ),
            _project(
                "Google Cloud, and what Config Connector needs.", INFRA, [repository], permitted(infra), windows=windows
            ),
            _project(
                "Dify's workloads: no rights in the cluster, no Google Cloud.",
                DIFY,
                [repository],
                permitted(dify),
                windows=windows,
            ),
        ],
    )
