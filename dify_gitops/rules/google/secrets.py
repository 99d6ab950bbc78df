"""Rules over secrets in resources: Config Connector reads them from a Secret, never from Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.catalogue.given_away import given_away
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.google.estate import Estate

# In every CRD of Config Connector a field that has both is a secret, but for what is public of a certificate.
_SHAPE = frozenset(("value", "valueFrom"))
_PUBLIC = "certificate"


@rule(
    "google-secret-value",
    why="what stands in the repository is known to everybody who can read it, for ever",
    remedy="use valueFrom.secretKeyRef with a key of a Secret; if the value was real, replace it now",
)
def google_secret_value(estate: Estate) -> Iterator[Flaw]:
    """No resource has the value of a secret. The message never repeats it."""
    for text in estate.texts:
        holder = text.field.split(".")[-2]
        if text.key == "value" and text.owner.keys() <= _SHAPE and not holder.endswith("]"):
            if not holder.startswith(_PUBLIC):
                yield Flaw(text.item, text.field, "is a secret in Git")
        elif kind := given_away(text.value):
            yield Flaw(text.item, text.field, f"looks like {kind}")
