"""Rules over Argo CD's waves inside of `infra`: a reference to what is not there yet fails the whole sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.rules.access import mapping, text
from dify_gitops.rules.google.estate import service
from dify_gitops.rules.google.links import links, target
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.waves import wave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate


def _needs(estate: Estate) -> Iterator[tuple[Object, Object]]:
    """(object, what must be healthy before it): references, and what Config Connector does not know by itself."""
    for link in links(estate):
        found = target(estate, link)
        if found and found is not link.source:
            yield link.source, found
    first_wave = min((wave(item) for item in estate.resources if item.kind != "Service"), default=0)
    apis = [api for api in estate.of("Service") if wave(api) >= first_wave]  # others are before everything
    first = [item for item in estate.objects if item.kind in ("ConfigConnectorContext", "Namespace")]
    peerings = [one for one in estate.of("ServiceNetworkingConnection") if one.name == names.PRIVATE_SERVICES]
    for item in estate.resources:
        yield from ((item, one) for one in first if item.namespace in (one.name, one.namespace))
        if item.kind != "Service":
            yield from ((item, api) for api in apis)
        private = mapping(item.data, "spec", "settings", "ipConfiguration", "privateNetworkRef")
        if item.kind == "RedisInstance" or private:
            yield from ((item, peering) for peering in peerings)
    for pool in estate.of("ContainerNodePool"):
        account = text(pool.data, "spec", "nodeConfig", "serviceAccountRef", "name")
        yield from ((pool, policy) for policy in _policies_of(estate, account))


def _policies_of(estate: Estate, account: str) -> Iterator[Object]:
    for policy in estate.of("IAMPartialPolicy", "IAMPolicyMember"):
        about = mapping(policy.data, "spec", "resourceRef")
        if account and text(about, "kind") == "IAMServiceAccount" and text(about, "name") == account:
            yield policy


@rule(
    "google-wave-order",
    why="Config Connector answers a reference to what is not there with an error, which ends Argo CD's sync",
    remedy=f"give what is needed a lower {names.SYNC_WAVE} than what needs it",
)
def google_wave_order(estate: Estate) -> Iterator[Flaw]:
    """What is referred to, APIs, peering and permissions come in an earlier wave than what needs them."""
    early: dict[int, tuple[Object, list[Object]]] = {}  # what is needed, and who comes too early for it
    for consumer, needed in _needs(estate):
        if wave(needed) >= wave(consumer) and service(consumer):
            early.setdefault(id(needed), (needed, []))[1].append(consumer)
    for needed, consumers in early.values():
        first, *others = sorted(set(consumers), key=lambda item: (wave(item), str(item)))
        more = ", as others do" if others else ""
        message = f"{wave(needed)} is not before {first}, {wave(first)}, which needs it{more}"
        yield Flaw(needed, f"metadata.annotations[{names.SYNC_WAVE}]", message)
