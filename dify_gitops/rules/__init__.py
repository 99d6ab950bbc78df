"""Our own rules over what `kustomize build` renders: they see what is applied, the user's objects included.

A rule is a generator over the `Cluster`; all are listed in `RULES`, and tests/rules/ breaks each one once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dify_gitops.argocd import upstream
from dify_gitops.errors import Finding
from dify_gitops.input.words import nearest
from dify_gitops.rules import (
    availability,
    backends,
    config,
    containers,
    edge,
    exposure,
    images,
    isolation,
    migration,
    objects,
    operations,
    pods,
    podsecurity,
    ports,
    protection,
    proxy,
    queues,
    reachability,
    references,
    secrecy,
    selection,
    settings,
    shutdown,
    sidecars,
    validity,
    volumes,
    waves,
)
from dify_gitops.rules.argocd import ARGOCD_RULES
from dify_gitops.rules.argocd.delivery import Delivery
from dify_gitops.rules.cluster import Cluster
from dify_gitops.rules.google import COMMON_RULES, GOOGLE_RULES, KEPT_RULES, LIMIT_RULES, kept
from dify_gitops.rules.google.estate import Estate
from dify_gitops.rules.google.joined import JOINED_RULES, Joined
from dify_gitops.rules.google.kept import Customised
from dify_gitops.rules.rule import meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dify_gitops.input.model import Environment, Waiver
    from dify_gitops.k8s.objects import Identity
    from dify_gitops.rules.rule import Rule

WORKLOADS: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        objects.object_unique,
        objects.namespace_own,
        objects.labels_set,
        containers.requests_set,
        containers.limits_set,
        containers.limit_not_below_request,
        containers.probes_set,
        containers.no_probes_reason,
        containers.liveness_not_readiness,
        containers.env_unique,
        containers.container_names_unique,
        containers.read_only_root,
        containers.user_id_set,
        images.image_pinned,
        sidecars.sidecar_native,
        sidecars.zombies_reaped,
        volumes.volume_mounted,
        volumes.volume_group,
        volumes.writable_where_written,
        pods.service_links_off,
        pods.service_account_own,
        pods.service_account_token_off,
        pods.grace_period,
        shutdown.run_finished,
        pods.priority_class_set,
        podsecurity.pod_security,
        podsecurity.pod_security_level,
        podsecurity.sandbox_locked,
        references.reference_exists,
        config.config_exists,
        config.secret_exists,
        ports.port_exists,
        selection.selector_own_pods,
        selection.selector_matches,
        selection.selector_not_shared,
        reachability.service_reachable,
        reachability.dns_reachable,
        reachability.ingress_reachable,
        reachability.metrics_reachable,
        reachability.outside_reachable,
        isolation.default_deny,
        isolation.metadata_server,
        isolation.sandbox_egress,
        isolation.internet_egress,
        exposure.ingress_narrow,
        exposure.private_egress,
        availability.replicas_one_owner,
        availability.scaler_bounds,
        availability.spread,
        availability.disruption_budget,
        availability.disruption_allowed,
        availability.recreate,
        protection.data_kept,
        protection.data_replaced,
        protection.volume_retained,
        protection.argocd_annotation,
        migration.migration_once,
        migration.one_dify_version,
        migration.migration_elsewhere,
        queues.queue_consumed_once,
        queues.queue_scaled,
        queues.poller_awake,
        edge.internal_paths,
        edge.ingress_host,
        edge.https_only,
        edge.security_policy,
        edge.backend_timeout,
        backends.backend_health,
        backends.neg_set,
        backends.service_internal,
        backends.static_address,
        backends.routes_complete,
        waves.wave_order,
        settings.dify_settings,
        proxy.proxy_refuses,
        validity.ports_unique,
        validity.probe_valid,
        validity.names_valid,
        operations.rollout_without_gap,
        operations.no_full_rights,
        operations.schedule_awake,
        secrecy.no_secret_data,
        secrecy.no_plain_secret,
    )
}
GOOGLE: dict[str, Rule] = {rule.id: rule for rule in (*COMMON_RULES, *GOOGLE_RULES)}
JOINED: dict[str, Rule] = {rule.id: rule for rule in JOINED_RULES}
KEPT: dict[str, Rule] = {rule.id: rule for rule in KEPT_RULES}
ARGOCD: dict[str, Rule] = {rule.id: rule for rule in ARGOCD_RULES}
RULES = WORKLOADS | GOOGLE | JOINED | KEPT | ARGOCD
_OWN = {
    rule.id: rule for rule in (*COMMON_RULES, waves.wave_order, operations.no_full_rights)
}  # over argocd/<env> alone
_BY_FIELD = {rule.id for rule in (*LIMIT_RULES, kept.google_field_kept)}
_WAIVER = "waiver-needed"  # the rule over the waivers themselves
# Kustomize's suffix of a generated ConfigMap: ten characters that change with its contents.
_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")


def examine(objects: Iterable[dict[str, Any]], where: str, kubernetes: str, dify: str) -> list[Finding]:
    """Everything that the rules find in one rendered kustomization, sorted; waivers are not applied.

    ``where`` names the kustomization in findings; ``kubernetes`` is the cluster's minor version, such as 1.35;
    ``dify`` is the environment's release.
    """
    return _findings(WORKLOADS, Cluster(objects, kubernetes, dify), where)


def examine_google(objects: Iterable[dict[str, Any]], where: str, environment: Environment) -> list[Finding]:
    """The same for what ``config-connector/<env>`` renders; ``environment`` is its input."""
    return _findings(GOOGLE, Estate(objects, environment), where)


def examine_joined(
    workloads: Iterable[dict[str, Any]], google: Iterable[dict[str, Any]], where: str, environment: Environment
) -> list[Finding]:
    """The same for what the overlay and config-connector/ of one environment say about each other."""
    cluster = Cluster(workloads, environment.kubernetes, environment.dify)
    return _findings(JOINED, Joined(cluster, Estate(google, environment)), where)


def examine_kept(generated: Iterable[dict[str, Any]], rendered: Iterable[dict[str, Any]], where: str) -> list[Finding]:
    """The same for what the user's component takes away from ``config-connector/<env>/generated``."""
    return _findings(KEPT, Customised(Cluster(generated, ""), Cluster(rendered, "")), where)


def examine_argocd(
    folders: Mapping[str, Iterable[dict[str, Any]]],
    where: str,
    environment: Environment,
    repository: str,
    expected: Iterable[Identity],
) -> list[Finding]:
    """The same for what ``argocd/<env>`` renders.

    ``folders`` are the objects of each folder that this environment's Applications may sync, by path; ``where`` is
    argocd's own. ``repository`` is the URL of this repository, ``expected`` what the input gives to ``argocd/<env>``.
    """
    delivery = Delivery(folders, where, repository, expected, upstream.owned(environment))
    spaces = frozenset(item.name for cluster in delivery.folders.values() for item in cluster.every("Namespace"))
    own = Cluster(folders[where], environment.kubernetes, elsewhere=spaces)
    return sorted(
        {
            *_findings(_OWN, own, where),
            *_findings(ARGOCD, delivery, where),
        }
    )


def _findings(rules: dict[str, Rule], subject: Cluster | Joined | Customised | Delivery, where: str) -> list[Finding]:
    return sorted(
        {
            Finding(where, str(flaw.object), flaw.field, rule.id, flaw.message, flaw.hint or rule.remedy)
            for rule in rules.values()
            for flaw in rule.check(subject)
        }
    )


def unwaived(findings: Iterable[Finding], waivers: Sequence[Waiver]) -> list[Finding]:
    """Findings that no waiver accepts."""
    return [finding for finding in findings if not any(_accepts(waiver, finding) for waiver in waivers)]


def unused_waivers(waivers: Sequence[Waiver], findings: Iterable[Finding], where: str) -> list[Finding]:
    """A finding for each waiver that accepts nothing, or gives no reason.

    ``findings`` is what ``examine`` found in **all** environments: a waiver may be for one of them only.
    ``where`` is the file that holds the waivers.
    """
    found = list(findings)
    flaws = []
    for waiver in waivers:
        if waiver.rule not in RULES:
            near = nearest(waiver.rule, RULES)
            message, hint = f"there is no rule {waiver.rule}", meant(near) or "docs/rules.md lists them"
        elif not any(_accepts(waiver, finding) for finding in found):
            fields = sorted({finding.field for finding in found if _means(waiver, finding)})
            message = f"{waiver.rule} finds nothing there in any environment"
            hint = f"set field to {' or '.join(fields)}" if fields else "remove the waiver"
        elif not waiver.reason.strip():
            message, hint = f"the waiver of {waiver.rule} has no reason", "say why this is acceptable"
        else:
            continue
        flaws.append(Finding(where, waiver.object, "", _WAIVER, message, hint))
    return sorted(flaws)


def _accepts(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is for a finding: for that field, where it names one or the rule looks at many."""
    any_field = not waiver.field and finding.rule not in _BY_FIELD
    return _means(waiver, finding) and (any_field or waiver.field == finding.field)


def _means(waiver: Waiver, finding: Finding) -> bool:
    """Whether rule and object are the same; a waiver may leave out the hash of a generated ConfigMap."""
    return waiver.rule == finding.rule and waiver.object in (finding.object, _HASH.sub("", finding.object))


def rules_table() -> str:
    """All rules as a Markdown table: id, why, remedy."""
    rows = [f"| `{rule.id}` | {rule.why} | {rule.remedy} |" for rule in RULES.values()]
    return "\n".join(["| rule | why | what to do |", "|---|---|---|", *rows]) + "\n"
