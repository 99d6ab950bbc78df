"""Objects that belong to one environment as a whole: namespaces, identities, addresses, certificate, scalers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue.flows import GOOGLE
from dify_gitops.components import ConfigMap
from dify_gitops.components.worker import STANDARD_POOLS, pool_manifests
from dify_gitops.input.model import PluginGateway, Sandbox, SsrfProxy
from dify_gitops.k8s.identity import service_account
from dify_gitops.k8s.objects import Manifest, manifest, pod_security
from dify_gitops.overlay import networks, redis_endpoint, scaling, secrets

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment, Platform

_Replicated = PluginGateway | Sandbox | SsrfProxy

_PODS_MAY = {
    names.DIFY: ("restricted", "Pods here run without any privilege."),
    names.SANDBOX: ("baseline", "The sandbox needs root inside of its container; nothing else lives here."),
}


def _namespace(name: str, environment: Environment, platform: Platform) -> Manifest:
    level, why = _PODS_MAY[name]
    annotations = {
        names.SYNC_OPTIONS: names.KEEP,
        f"{names.PREFIX}/repository": platform.repository,
        f"{names.PREFIX}/contact": platform.contact,
    }
    if platform.owners:
        annotations[f"{names.PREFIX}/owners"] = ", ".join(platform.owners)
    return manifest(
        why,
        ("v1", "Namespace"),
        name,
        namespace=None,
        workload="dify",
        wave=names.WAVE_FOUNDATION,
        annotations=annotations,
        more_labels=pod_security(level, environment.kubernetes),
    )


def _certificate(environment: Environment) -> Manifest:
    return manifest(
        "Google makes and renews it, once the domain points to the address.",
        ("networking.gke.io/v1", "ManagedCertificate"),
        names.CERTIFICATE,
        workload="edge",
        wave=names.WAVE_TRAFFIC,
        spec={"domains": [environment.domain]},
    )


def files(environment: Environment, platform: Platform) -> dict[str, list[Manifest]]:
    """``{file: objects}`` of one environment, in the order of application."""
    extra = {
        f"worker-{name}.yaml": pool_manifests(name, pool)
        for name, pool in sorted(environment.worker.pools.items())
        if name not in STANDARD_POOLS
    }
    endpoint = redis_endpoint.manifests(environment)
    accounts = [service_account(name, names.google_account(name, environment.project)) for name in GOOGLE]
    return {
        "namespace.yaml": [_namespace(name, environment, platform) for name in _PODS_MAY],
        "serviceaccount.yaml": accounts,
        "secretstore.yaml": secrets.stores(environment),
        "externalsecret.yaml": secrets.external_secrets(environment),
        "pushsecret.yaml": secrets.copies(),
        "networkpolicy.yaml": networks.policies(environment),
        **({"redis-endpoint.yaml": endpoint} if endpoint else {}),
        **extra,
        "horizontalpodautoscaler.yaml": scaling.autoscalers(environment),
        "scaledobject.yaml": scaling.scaled_objects(environment),
        "managedcertificate.yaml": [_certificate(environment)],
    }


def replicas(environment: Environment) -> list[dict[str, Any]]:
    """How many pods run where no scaler owns the number, as far as it differs from the base."""
    counts: dict[str, tuple[_Replicated, _Replicated]] = {
        "plugin-gateway": (PluginGateway(), environment.plugin_gateway),
        "sandbox": (Sandbox(), environment.sandbox),
        "ssrf-proxy": (SsrfProxy(), environment.ssrf_proxy),
    }
    return [
        {"name": name, "count": wanted.replicas}
        for name, (base, wanted) in counts.items()
        if wanted.replicas != base.replicas
    ]


def proxies(environment: Environment) -> list[ConfigMap]:
    """What the two proxies must know of this environment: squid its ranges and ports, nginx the domain."""
    squid = networks.squid_conf(environment.network.pods, networks.ranges(environment), environment.ssrf_proxy.ports)
    return [
        ConfigMap("plugin-gateway-domain", {"domain.conf": f"server_name {environment.domain};\n"}),
        ConfigMap("ssrf-proxy", {"squid.conf": squid}),
    ]
