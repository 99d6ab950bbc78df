"""identity.yaml: who acts in Google Cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue.flows import GOOGLE, NAMESPACES
from dify_gitops.catalogue.google import CONFIG_CONNECTOR, NODES, PLATFORM
from dify_gitops.gcp import Concern
from dify_gitops.gcp.resource import resource

if TYPE_CHECKING:
    from dify_gitops.gcp import Site
    from dify_gitops.k8s.objects import Manifest


class Account(NamedTuple):
    """A Google service account ``dify-<name>``, and the Kubernetes one that acts as it (empty: nodes do)."""

    name: str
    why: str
    acts: str = ""


def accounts() -> list[Account]:
    """Everybody who acts in Google Cloud; the names are those that overlays annotate."""
    workloads = [
        Account(name, f"What the pods of {name} are in Google Cloud.", f"{NAMESPACES.get(name, names.DIFY)}/{name}")
        for name in GOOGLE
    ]
    return [
        *workloads,
        Account(
            names.EXTERNAL_SECRETS,
            "External Secrets: reads secrets into the cluster, and gives new ones their first value.",
            f"{names.EXTERNAL_SECRETS}/{names.EXTERNAL_SECRETS}",
        ),
        Account(NODES, "The nodes themselves: logs, metrics, images. Pods cannot act as it."),
        Account(
            CONFIG_CONNECTOR,
            "Config Connector: the hand that changes this project. Made by bootstrap and acquired here.",
            f"{names.CONFIG_CONNECTOR}/cnrm-controller-manager-{names.INFRA}",
        ),
    ]


def _account(site: Site, account: Account) -> Manifest:
    return resource(
        account.why,
        "iam",
        "IAMServiceAccount",
        f"dify-{account.name}",
        site,
        wave=names.WAVE_NETWORK,
        locked=account.name in PLATFORM,
        spec={"displayName": f"Dify {site.name}: {account.name}"},
    )


def concern(site: Site) -> Concern:
    """The accounts."""
    return Concern(
        "identity",
        "Google service accounts: one for each workload that calls Google. None has a key.",
        [_account(site, account) for account in accounts()],
    )
