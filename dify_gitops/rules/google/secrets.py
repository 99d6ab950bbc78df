"""Rules over secrets in resources: Config Connector reads them from a Secret, never from Git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops.catalogue.given_away import given_away
from dify_gitops.rules.access import get, text
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
    for found in estate.texts:
        holder = found.field.split(".")[-2]
        if found.key == "value" and found.owner.keys() <= _SHAPE and not holder.endswith("]"):
            if not holder.startswith(_PUBLIC):
                yield Flaw(found.item, found.field, "is a secret in Git")
        elif kind := given_away(found.value):
            yield Flaw(found.item, found.field, f"looks like {kind}")


@rule(
    "google-secret-once",
    why="a generator gives a new value each time: databases, sessions and keys would change every hour",
    remedy="set updatePolicy: IfNotExists and deletionPolicy: None",
)
def google_secret_once(estate: Estate) -> Iterator[Flaw]:
    """What a generator makes is pushed once, never over what is there, and never taken away again."""
    for item in estate.every("PushSecret"):
        if get(item.data, "spec", "selector", "generatorRef"):
            for key, wanted, default in (
                ("updatePolicy", "IfNotExists", "Replace"),
                ("deletionPolicy", "None", "None"),
            ):
                if (text(item.data, "spec", key) or default) != wanted:
                    yield Flaw(item, f"spec.{key}", f"is not {wanted}")
