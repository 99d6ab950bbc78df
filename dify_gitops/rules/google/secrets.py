"""Rules over secrets in resources: Config Connector reads them from a Secret, never from Git."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops.rules.access import mapping
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.secrecy import given_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.google.estate import Estate

# In every CRD of Config Connector a field that has both is a secret, but for what is public of a certificate.
_SHAPE = frozenset(("value", "valueFrom"))
_PUBLIC = "certificate"


def _secrets(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what stands there) of each secret."""
    left: list[tuple[str, str, Any]] = [("spec", "", spec)]  # field, its last key (empty in a list), what it holds
    while left:
        field, key, node = left.pop()
        if isinstance(node, str):
            if kind := given_away(node):
                yield field, f"looks like {kind}"
        elif isinstance(node, list):
            left += [(f"{field}[{number}]", "", child) for number, child in enumerate(node)]
        elif isinstance(node, dict):
            if key and node.keys() <= _SHAPE and isinstance(node.get("value"), str) and not key.startswith(_PUBLIC):
                yield f"{field}.value", "is a secret in Git"
                continue
            left += [(f"{field}.{name}", name, child) for name, child in node.items()]


@rule(
    "google-secret-value",
    why="what stands in the repository is known to everybody who can read it, for ever",
    remedy="use valueFrom.secretKeyRef with a key of a Secret; if the value was real, replace it now",
)
def google_secret_value(estate: Estate) -> Iterator[Flaw]:
    """No resource has the value of a secret. The message never repeats it."""
    for item in estate.resources:
        for field, message in _secrets(mapping(item.data, "spec")):
            yield Flaw(item, field, message)
