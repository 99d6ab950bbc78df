"""secrets.yaml: the places in Secret Manager where secrets live. Never their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue.secrets import STORED
from dify_gitops.emit import Note
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import resource
from dify_gitops.input.named_secrets import named_secrets
from dify_gitops.k8s.objects import sentence

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest

# The label by which External Secrets knows that it may add versions.
_PUSHED = {"managed-by": "external-secrets"}
_REPLICATION = {"automatic": True}


def by_hand(site: Site) -> dict[str, str]:
    """Secrets that a person fills, because nobody can invent them: name → purpose."""
    return {named.store_name: named.purpose for named in named_secrets(site.environment)}


def born() -> dict[str, str]:
    """Secrets that the cluster makes or learns, and nobody sees: name → purpose."""
    return {entry.store_name: f"{entry.purpose}; {entry.constraint}" for entry in STORED}


def _secret(site: Site, why: str, name: str, labels: dict[str, str]) -> Manifest:
    return resource(
        why,
        "secretmanager",
        "SecretManagerSecret",
        name,
        site,
        wave=names.WAVE_NETWORK,
        labels=labels,
        spec={"replication": Note(dict(_REPLICATION), "immutable")},
    )


def concern(site: Site) -> Concern:
    """One empty place per secret; External Secrets puts a value into it once, and never over one."""
    return Concern(
        "secrets",
        "Secret Manager: a place for each secret, without a value. Values are born in the cluster, never in Git.",
        [
            *(_secret(site, sentence(why), name, _PUSHED) for name, why in born().items()),
            *(
                _secret(site, sentence(why, ": add a version yourself."), name, {})
                for name, why in by_hand(site).items()
            ),
        ],
    )
