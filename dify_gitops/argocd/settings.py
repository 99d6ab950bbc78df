"""settings.yaml: Argo CD's own ConfigMaps. Upstream's are taken out, so that these have one owner."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.emit import Flow, Note, emit
from dify_gitops.gcp import Concern
from dify_gitops.k8s.objects import manifest

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.input.model import Oidc
    from dify_gitops.k8s.objects import Manifest

_HEALTH = Path(__file__).with_name("health")
_ROLE = "role:platform"
# Longer than the slowest wave takes (a cluster, a database): then the sync ends as failed, and is tried again.
_SYNC_TIMEOUT = 2 * 3600
_RETRIES_TOLD = 5  # failures in a row until somebody is told; some are normal while things start

# What controllers and the API server make in masses, and nobody writes: watching it costs Argo CD memory.
_NOT_WATCHED = {
    "": ("Endpoints",),
    "discovery.k8s.io": ("EndpointSlice",),
    "coordination.k8s.io": ("Lease",),
    "certificates.k8s.io": ("CertificateSigningRequest",),
    "cilium.io": ("CiliumEndpoint", "CiliumEndpointSlice", "CiliumIdentity"),
}


@cache
def _lua(name: str) -> str:
    return (_HEALTH / f"{name}.lua").read_text(encoding="utf-8")


def _config_map(why: str, name: str, data: dict[str, Any]) -> Manifest:
    content: dict[str, Any] = {"data": data} if data else {}  # the API server keeps no empty map
    return manifest(
        why,
        ("v1", "ConfigMap"),
        name,
        namespace=names.ARGOCD,
        workload=name,
        wave=names.WAVE_SETTINGS,
        more_labels=names.ARGOCD_PART | {names.BOOTSTRAP: "true"},
        **content,
    )


def _login(oidc: Oidc) -> str:
    """Groups come with the token; the secret of the client, if it has one, from argocd-oidc."""
    config: dict[str, Any] = {
        "name": "Single sign-on",
        "issuer": oidc.issuer,
        "clientID": oidc.client_id,
        "requestedScopes": Flow(["openid", "profile", "email", "groups"]),
    }
    if oidc.client_secret:
        return emit(config | {"clientSecret": "$argocd-oidc:clientSecret"})
    return emit(config | {"enablePKCEAuthentication": True})


def _ignored(*paths: str) -> str:
    return emit({"jqPathExpressions": list(paths)})


def _general(site: Site) -> Manifest:
    argocd = site.environment.argocd
    health = "resource.customizations.health"
    updates = "resource.customizations.ignoreResourceUpdates"
    differences = "resource.customizations.ignoreDifferences"
    exclusions = [{"apiGroups": Flow([group]), "kinds": Flow(kinds)} for group, kinds in _NOT_WATCHED.items()]
    data: dict[str, Any] = {
        "url": argocd.url,
        "admin.enabled": Note("false", "people log in as themselves")
        if argocd.oidc
        else Note("true", "nobody else can log in: set argocd.oidc"),
        "users.anonymous.enabled": "false",
        "exec.enabled": Note("false", "no shell in pods from a browser"),
        "application.resourceTrackingMethod": Note("annotation", "a label would go on to Google Cloud"),
        "timeout.reconciliation": "120s",
        "timeout.reconciliation.jitter": "60s",
    }
    if argocd.oidc:
        data["oidc.config"] = _login(argocd.oidc)
    return _config_map(
        "How Argo CD looks at objects, and who may log in.",
        "argocd-cm",
        data
        | {
            "resource.customizations": emit({f"*.{names.CNRM}/*": {"health.lua": _lua("config-connector")}}),
            f"{health}.argoproj.io_Application": _lua("application"),
            f"{health}.monitoring.googleapis.com_PodMonitoring": _lua("monitoring"),
            f"{health}.monitoring.googleapis.com_ClusterPodMonitoring": _lua("monitoring"),
            f"{differences}.admissionregistration.k8s.io_ValidatingWebhookConfiguration": Note(
                _ignored(".webhooks[]?.clientConfig.caBundle"), "KEDA and External Secrets write their own CA into it"
            ),
            f"{differences}.apiregistration.k8s.io_APIService": Note(_ignored(".spec.caBundle"), "so does KEDA here"),
            f"{differences}.argoproj.io_Application": Note(
                _ignored(".operation"), "a child's sync makes and removes it, and root would sync what it saw too late"
            ),
            f"{updates}.all": Note(
                emit({"jsonPointers": ["/status"]}), "Config Connector writes it all the time; health still counts"
            ),
            f"{updates}.argoproj.io_Application": _ignored(
                '.metadata.annotations."notified.notifications.argoproj.io"',
                '.metadata.annotations."argocd.argoproj.io/refresh"',
                ".operation",
            ),
            "resource.exclusions": Note(emit(exclusions), "made in masses by controllers, never in Git"),
        },
    )


def _parameters(site: Site) -> Manifest:
    data: dict[str, Any] = {
        "controller.sync.timeout.seconds": Note(str(_SYNC_TIMEOUT), "no wave takes so long; then it is tried again"),
        "server.sync.replace.allowed": Note(
            "false", "replacing deletes first, and Config Connector deletes the real thing"
        ),
    }
    for program in ("controller", "server"):
        key = f"{program}.repo.server.timeout.seconds"
        data[key] = Note("120", "the first rendering of a chart with its CRDs takes longer than the default of 60")
    if site.environment.high_availability:
        data["redis.server"] = Note("argocd-redis-ha-haproxy:6379", "of the manifests with high availability")
    return _config_map("Flags of Argo CD's programs: they read them when they start.", "argocd-cmd-params-cm", data)


def _field(group: str) -> str:
    """As CSV has it: with a bare comma or quote in one name Argo CD refuses the whole policy."""
    return '"{}"'.format(group.replace('"', '""')) if {",", '"'}.intersection(group) else group


def _roles(site: Site) -> Manifest:
    oidc = site.environment.argocd.oidc
    may = (
        ("applications", "get", "*/*"),
        ("applications", "sync", "*/*"),
        ("applications", "action/*", "*/*"),
        ("logs", "get", "*/*"),
        ("projects", "get", "*"),
        ("repositories", "get", "*"),
        ("clusters", "get", "*"),
    )
    lines = [f"p, {_ROLE}, {resource}, {action}, {target}, allow" for resource, action, target in may]
    if oidc:
        lines += [f"g, {_field(group)}, {_ROLE}" for group in oidc.platform]
        lines += [f"g, {_field(group)}, role:readonly" for group in oidc.viewers]
    return _config_map(
        "Who may do what in Argo CD. Nobody creates, changes or deletes an Application here: Git does.",
        "argocd-rbac-cm",
        {
            "policy.default": Note("", "nothing for whoever is in none of the groups"),
            "policy.csv": "\n".join(lines) + "\n",
            "scopes": "[groups]",
        },
    )


def _notifications(site: Site) -> Manifest:
    slack = site.environment.argocd.slack
    if not slack:
        why = "No service is configured: alerts.yaml in config-connector/ tells of failures."
        return _config_map(why, "argocd-notifications-cm", {})
    said = "{{ .app.metadata.name }} of " + site.name
    failed = "app.status?.operationState?.phase in ['Error', 'Failed']"
    retried = f"(app.status?.operationState?.retryCount ?? 0) >= {_RETRIES_TOLD}"
    revision = "app.status?.operationState?.operation?.sync?.revision"

    def trigger(when: str, template: str, once: str) -> str:
        return emit([{"when": when, "send": Flow([template]), "oncePer": once}])

    return _config_map(
        "Who is told when Argo CD cannot do what Git says.",
        "argocd-notifications-cm",
        {
            "service.slack": emit({"token": "$slack-token"}),
            "template.sync-failed": emit(
                {"message": f"{said} cannot be synced: {{{{ .app.status.operationState.message }}}}\n"}
            ),
            "template.health-degraded": emit(
                {"message": f"{said} is degraded: {{{{ .app.status.health.message }}}}\n"}
            ),
            "template.unreadable": emit({"message": f"{said}: Argo CD cannot read what Git holds.\n"}),
            "trigger.on-sync-failed": Note(
                trigger(f"{failed} or {retried}", "sync-failed", revision), "retries never end, so their number counts"
            ),
            "trigger.on-health-degraded": trigger(
                "app.status?.health?.status == 'Degraded'", "health-degraded", "app.status?.sync?.revision"
            ),
            "trigger.on-sync-status-unknown": trigger(
                "app.status?.sync?.status == 'Unknown'", "unreadable", "app.status?.sync?.revision"
            ),
            "subscriptions": emit(
                [
                    {
                        "recipients": Flow([f"slack:{slack.channel}"]),
                        "triggers": Flow(["on-sync-failed", "on-health-degraded", "on-sync-status-unknown"]),
                    }
                ]
            ),
        },
    )


def concern(site: Site) -> Concern:
    """Four ConfigMaps."""
    return Concern(
        "settings",
        "Argo CD's settings.",
        [_general(site), _parameters(site), _roles(site), _notifications(site)],
    )
