"""Rules over platform.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_gitops.catalogue.controllers import SSH_HOSTS
from dify_gitops.input.checks import Complaint

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Platform

# Labels below these domains mean something to others: Kubernetes, the common labels of ours, Argo CD.
_RESERVED: Final = ("kubernetes.io", "k8s.io", "argoproj.io")


def repository(platform: Platform) -> Complaints:
    """Argo CD gets its credentials from a Secret, not from a URL that stands in every Application."""
    scheme, _, rest = platform.repository.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    if at and (scheme == "https" or ":" in user):
        yield Complaint(("repository",), "holds a password or a token", "remove all up to the '@'", secret=True)


def ssh_host(platform: Platform) -> Complaints:
    """Argo CD refuses a host whose key it does not know; the ConfigMap that holds them is upstream's, and healed."""
    if not platform.over_ssh:
        return
    scheme, _, rest = platform.repository.rpartition("://")
    place = rest.partition("/" if scheme else ":")[0].rpartition("@")[2].removesuffix(":22").lower()
    if place not in SSH_HOSTS:
        hint = "give its https URL, with argocd.repositoryToken in environments/*.yaml where the repository is private"
        yield Complaint(("repository",), f"Argo CD knows no SSH key of {place}, so it would never read it", hint)


def labels(platform: Platform) -> Complaints:
    """A label of ours or of the platform's, set by hand, breaks selectors or Argo CD's tracking."""
    for key in platform.labels:
        domain, slash, _ = key.partition("/")
        if slash and any(domain == one or domain.endswith(f".{one}") for one in _RESERVED):
            hint = "a key without domain, or with a domain of yours"
            yield Complaint(("labels", key), f"the domain {domain} is reserved", hint, about_key=True)


def waivers(platform: Platform) -> Complaints:
    """The second waiver of the same finding would waive nothing."""
    seen: dict[tuple[str, str, str], int] = {}
    for index, waiver in enumerate(platform.waivers):
        first = seen.setdefault((waiver.rule, waiver.object, waiver.field), index)
        if first != index:
            yield Complaint(("waivers", index), f"waives the same as waivers[{first}]", "remove one")
