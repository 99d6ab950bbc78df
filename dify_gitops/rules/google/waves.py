"""Rules over Argo CD's waves inside of `infra`: a reference to what is not there yet fails the whole sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.rules.access import mapping, maps, text
from dify_gitops.rules.cluster import made_secret
from dify_gitops.rules.google.estate import real_name
from dify_gitops.rules.google.links import SECRET, links, target
from dify_gitops.rules.rule import rule
from dify_gitops.rules.waves import LOWER, Need, misplaced, needs, wave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Object
    from dify_gitops.rules.google.estate import Estate
    from dify_gitops.rules.rule import Flaw


def _needs(estate: Estate) -> Iterator[tuple[Object, Object]]:
    """(object, what must be healthy before it): references, and what Config Connector does not know by itself."""
    for link in links(estate):
        found = target(estate, link)
        if found and found is not link.source:
            yield link.source, found
    first_wave = min((wave(item) for item in estate.resources if item.kind != "Service"), default=0)
    apis = [api for api in estate.of("Service") if wave(api) >= first_wave]  # others are before everything
    contexts = [item for item in estate.objects if item.kind == "ConfigConnectorContext"]
    peerings = [one for one in estate.of("ServiceNetworkingConnection") if one.name == names.PRIVATE_SERVICES]
    for item in estate.resources:
        yield from ((item, one) for one in contexts if item.namespace == one.namespace)
        if item.kind != "Service":
            yield from ((item, api) for api in apis)
        private = mapping(item.data, "spec", "settings", "ipConfiguration", "privateNetworkRef")
        if item.kind == "RedisInstance" or private:
            yield from ((item, peering) for peering in peerings)
    for pool in estate.of("ContainerNodePool"):
        account = text(pool.data, "spec", "nodeConfig", "serviceAccountRef", "name")
        yield from ((pool, policy) for policy in _policies_of(estate, account))


def _secret_needs(estate: Estate) -> Iterator[tuple[Object, Object]]:
    """Store, generator, place and permission come before a value, and the Secret before the user that reads it."""
    yield from _push_needs(estate)
    pushed = {key: item for item in estate.every("PushSecret") for key in _pushes(item)}
    made = {(item.namespace, made_secret(item)): item for item in estate.every("ExternalSecret")}
    for item in made.values():
        for entry in maps(item.data, "spec", "data"):
            if push := pushed.get(text(entry, "remoteRef", "key")):
                yield item, push
    for link in links(estate):
        if link.kind == SECRET and (secret := made.get((link.namespace, link.name.partition(" ")[0]))):
            yield link.source, secret


def _push_needs(estate: Estate) -> Iterator[tuple[Object, Object]]:
    stores = {item.namespace: item for item in estate.every("SecretStore")}
    passwords = {(item.namespace, item.name): item for item in estate.every("Password")}
    places = {real_name(item): item for item in estate.of("SecretManagerSecret")}
    policies = [item for item in estate.of("IAMPartialPolicy") if _about(item, "kind") == "SecretManagerSecret"]
    for item in estate.every("PushSecret"):
        generator = text(item.data, "spec", "selector", "generatorRef", "name")
        needed = [stores.get(item.namespace), passwords.get((item.namespace, generator))]
        for place in filter(None, map(places.get, _pushes(item))):
            needed += [place, *(policy for policy in policies if _about(policy, "name") == place.name)]
        yield from ((item, found) for found in needed if found)


def _pushes(item: Object) -> list[str]:
    """Names in Secret Manager that a PushSecret writes to."""
    return [text(entry, "match", "remoteRef", "remoteKey") for entry in maps(item.data, "spec", "data")]


def _about(policy: Object, key: str) -> str:
    return text(policy.data, "spec", "resourceRef", key)


def _policies_of(estate: Estate, account: str) -> Iterator[Object]:
    for policy in estate.of("IAMPartialPolicy", "IAMPolicyMember"):
        about = mapping(policy.data, "spec", "resourceRef")
        if account and text(about, "kind") == "IAMServiceAccount" and text(about, "name") == account:
            yield policy


@rule(
    "google-wave-order",
    why="Config Connector answers a reference to what is not there with an error, which ends Argo CD's sync",
    remedy=LOWER,
)
def google_wave_order(estate: Estate) -> Iterator[Flaw]:
    """What is referred to, APIs, peering and permissions come in an earlier wave than what needs them."""
    apart = (Need(*pair, apart=True) for pair in (*_needs(estate), *_secret_needs(estate)))
    yield from misplaced((*apart, *needs(estate)))
