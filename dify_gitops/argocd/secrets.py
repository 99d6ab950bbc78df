"""secrets.yaml: what Argo CD itself must know and nobody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import secrets
from dify_gitops.gcp import Concern
from dify_gitops.input.named_secrets import named_secrets
from dify_gitops.k8s.external_secrets import external_secret, store
from dify_gitops.k8s.objects import sentence

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

SECRET_TYPE = "argocd.argoproj.io/secret-type"  # noqa: S105 - a label
# Most hosts look at the token only, but want a name; for Bitbucket the name says what kind of password comes.
_TOKEN_USERS = {"bitbucket.org": "x-token-auth"}


def git_user(repository: str) -> str:
    """The name that comes with a token of the host of this https URL."""
    return _TOKEN_USERS.get(repository.split("/")[2], "git")


def _template(site: Site, secret: str, key: str) -> dict[str, Any]:
    """Argo CD sees only what carries its label; a repository also needs its address."""
    labels = dict(names.ARGOCD_PART)
    if secret != secrets.REPOSITORY:
        return {"metadata": {"labels": labels}}
    labels[SECRET_TYPE] = "repository"
    url = site.platform.repository
    data = {"type": "git", "url": url, "username": git_user(url), key: f"{{{{ .{key} }}}}"}
    return {"metadata": {"labels": labels}, "data": data}


def concern(site: Site) -> Concern:
    """A store and one Secret for each that the input names for Argo CD."""
    named = [one for one in named_secrets(site.environment) if one.namespace == names.ARGOCD]
    found = [
        external_secret(
            sentence(one.purpose),
            one.secret,
            names.ARGOCD,
            [(one.key, one.store_name)],
            wave=names.WAVE_APPLICATION,
            template=_template(site, one.secret, one.key),
        )
        for one in named
    ]
    stores = [store(names.ARGOCD, site.environment.project, wave=names.WAVE_APPLICATION)] if named else []
    return Concern("secrets", "What Argo CD needs to know, from Secret Manager.", [*stores, *found])
