"""Secrets that only a person can know: the input names them in Secret Manager, and where each goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dify_gitops import names
from dify_gitops.catalogue import secrets

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment
    from dify_gitops.input.nodes import Path


class NamedSecret(NamedTuple):
    """``store_name`` in Secret Manager becomes ``key`` of Secret ``secret``; ``path`` is the key of the input."""

    path: Path
    store_name: str
    purpose: str
    namespace: str
    secret: str
    key: str


def named_secrets(environment: Environment) -> list[NamedSecret]:
    """Every secret that the input names, in the order of the input."""
    argocd = environment.argocd
    found: list[NamedSecret] = []

    def add(path: Path, store_name: str | None, purpose: str, *place: str) -> None:
        if store_name:
            found.append(NamedSecret(path, store_name, purpose, *place))

    token = ("argocd", "repositoryToken")
    why = "read-only token of the Git repository"
    add(token, argocd.repository_token, why, names.ARGOCD, secrets.REPOSITORY, "password")
    if argocd.oidc:
        why = "Argo CD's client at the identity provider"
        path = ("argocd", "oidc", "clientSecret")
        add(path, argocd.oidc.client_secret, why, names.ARGOCD, secrets.OIDC, "clientSecret")
    if argocd.slack:
        why = "bot that tells what Argo CD could not do"
        add(("argocd", "slack", "token"), argocd.slack.token, why, names.ARGOCD, secrets.NOTIFICATIONS, "slack-token")
    if smtp := environment.smtp:
        why = "password of the mail server"
        add(("smtp", "passwordSecret"), smtp.password_secret, why, names.DIFY, secrets.SMTP, "password")
    for variable, store_name in sorted(environment.variables.secrets.items()):
        path = ("variables", "secrets", variable)
        add(path, store_name, f"value of {variable}", names.DIFY, secrets.VARIABLES_SECRET, variable)
    return found
