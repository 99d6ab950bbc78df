"""Rules over what argocd/ names in the other folders of its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.rules.google.sources import sources, without_source
from dify_gitops.rules.references import missing, rights
from dify_gitops.rules.rule import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.argocd.delivery import Delivery
    from dify_gitops.rules.rule import Flaw


@rule(
    "argocd-reference",
    why="a right of an account that is not there, or a Secret without source, is an error in the cluster only",
    remedy="use a name that one of this environment's folders holds, or add it there",
)
def argocd_reference(delivery: Delivery) -> Iterator[Flaw]:
    """Bindings name roles and accounts, ExternalSecrets stores and secrets that the environment holds."""
    everywhere = list(delivery.folders.values())
    yield from without_source(delivery.own, sources(everywhere))
    for reference in rights(delivery.own):
        if reference.namespace not in delivery.foreign:
            yield from missing(reference, everywhere)
