"""A rule over what `argocd/<env>/custom` takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.k8s.objects import Identity
from dify_gitops.rules.cluster import Object
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery


@rule(
    "argocd-kept",
    why="without its Application nothing is synced any more, without the emptied project everything may be",
    remedy="leave it in, or change the input where it has a key for that",
)
def argocd_kept(delivery: Delivery) -> Iterator[Flaw]:
    """Every object that the input gives to Argo CD is there."""
    there = {Identity(item.group, item.kind, item.namespace, item.name) for item in delivery.own.objects}
    for gone in delivery.expected:
        if gone not in there:
            item = Object({}, gone.group, gone.kind, gone.namespace, gone.name)
            yield Flaw(item, "", "the input gives it, and it is not rendered")
