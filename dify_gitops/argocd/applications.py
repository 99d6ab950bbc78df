"""applications.yaml and root.yaml: which folder is synced as what, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.argocd import upstream
from dify_gitops.argocd.projects import API, DIFY, INFRA, PLATFORM, SERVER
from dify_gitops.catalogue.controllers import ARGOCD, EXTERNAL_SECRETS, KEDA
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.k8s.objects import manifest

if TYPE_CHECKING:
    from dify_gitops.catalogue.controllers import Controller
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

ROOT = "root"

# https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
_OPTIONS = [
    Note("CreateNamespace=false", "namespaces are manifests, each with one owner"),
    Note("ServerSideApply=true", "the API server merges; fields that Git does not name stay as others set them"),
    Note("ApplyOutOfSyncOnly=true", "a sync touches what differs, not hundreds of objects"),
    Note("RespectIgnoreDifferences=true", "what is ignored is not overwritten either"),
    Note("FailOnSharedResource=true", "no object has two owners"),
]
_LATE_KINDS = Note("SkipDryRunOnMissingResource=true", "some of its kinds are installed while it syncs")
_NEWEST = Note(value=True, text="a retry takes the newest commit, which may be the one that mends it")
_PRUNE_LAST = Note("PruneLast=true", "the new is healthy before the old goes")


def branch(site: Site) -> str:
    """What the root follows: if it followed a pin, it would never see the next one."""
    return f"refs/heads/{site.platform.branch}"


def _sync_policy(*, prune: bool, options: list[Any], automated: bool = True) -> dict[str, Any]:
    policy: dict[str, Any] = {}
    if automated:
        policy["automated"] = {"prune": prune, "selfHeal": True}
    return policy | {
        "syncOptions": [*_OPTIONS, *options],
        "retry": {
            "limit": Note(-1, "without end: what it waits for may come from another Application"),
            "refresh": _NEWEST,
            "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
        },
    }


def _application(
    why: str,
    name: str,
    *,
    project: str = PLATFORM,
    namespace: str,
    source: dict[str, Any],
    policy: dict[str, Any],
    labels: dict[str, str] | None = None,
    finalizer: bool = False,
) -> Manifest:
    made = manifest(
        why,
        (API, "Application"),
        name,
        namespace=names.ARGOCD,
        workload=name,
        wave=names.WAVE_APPLICATION,
        annotations={names.COMPARE_OPTIONS: "ServerSideDiff=true"},
        more_labels=labels,
        spec={
            "project": project,
            "source": source,
            "destination": {"server": SERVER, "namespace": namespace},
            "syncPolicy": policy,
            "revisionHistoryLimit": 10,
        },
    )
    if finalizer:
        made.body["metadata"]["finalizers"] = [
            Note(names.FINALIZER, "deleting this deletes the workloads, not the data")
        ]
    return made


def root(site: Site) -> Concern:
    """The Application that owns all others, itself included."""
    application = _application(
        "Whatever stands in this folder. It follows the branch, so that the pins of the others can change.",
        ROOT,
        namespace=names.ARGOCD,
        source={"repoURL": site.platform.repository, "path": f"argocd/{site.name}", "targetRevision": branch(site)},
        policy=_sync_policy(prune=False, options=[_LATE_KINDS]),
        labels={names.BOOTSTRAP: "true"},
    )
    return Concern("root", "The first Application: bootstrap applies it, and it applies the rest.", [application])


def _chart(controller: Controller, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "repoURL": controller.repository,
        "chart": controller.chart,
        "targetRevision": controller.version,
        "helm": {"releaseName": controller.name, "valuesObject": values},
    }


def _controllers(site: Site) -> list[Manifest]:
    argocd = {
        "repoURL": ARGOCD.repository,
        "path": upstream.folder(site),
        "targetRevision": ARGOCD.version,
        "kustomize": {"patches": upstream.patches(site)},
    }
    sources = {
        ARGOCD: ("Argo CD upgrades itself: the pin is the version.", argocd),
        EXTERNAL_SECRETS: (
            "Brings secrets from Secret Manager into the cluster.",
            _chart(EXTERNAL_SECRETS, upstream.external_secrets(site)),
        ),
        KEDA: ("Scales the workers by the length of their queues.", _chart(KEDA, upstream.keda(site))),
    }
    policy = _sync_policy(prune=True, options=[_PRUNE_LAST])
    return [
        _application(why, controller.name, namespace=controller.name, source=source, policy=policy)
        for controller, (why, source) in sources.items()
    ]


def concern(site: Site) -> Concern:
    """Controllers, Google Cloud, Dify."""
    settings = site.environment.argocd
    revision = settings.revision or branch(site)

    def source(above: str) -> dict[str, Any]:
        return {"repoURL": site.platform.repository, "path": f"{above}/{site.name}", "targetRevision": revision}

    return Concern(
        "applications",
        "Who syncs what. None orders another: each retries until what it needs is there.",
        [
            *_controllers(site),
            _application(
                "Google Cloud. Nothing is ever pruned: an object that leaves Git is reported, and a person deletes it.",
                "infra",
                project=INFRA,
                namespace=names.INFRA,
                source=source("config-connector"),
                policy=_sync_policy(prune=False, options=[_LATE_KINDS], automated="infra" not in settings.manual),
            ),
            _application(
                "Dify. What leaves Git is pruned, except what is locked because it holds data.",
                "dify",
                project=DIFY,
                namespace=names.DIFY,
                source=source("overlays"),
                policy=_sync_policy(
                    prune=True, options=[_LATE_KINDS, _PRUNE_LAST], automated="dify" not in settings.manual
                ),
                finalizer=True,
            ),
        ],
    )
