"""Our own rules over what `kustomize build argocd/<env>` renders, together with what its Applications bring."""

from __future__ import annotations

from dify_gitops.rules.argocd import applications, ignored, kept, people, projects, references, rights

ARGOCD_RULES = (
    applications.argocd_option,
    applications.argocd_destroys,
    applications.argocd_retry,
    applications.argocd_source,
    applications.argocd_wave,
    applications.argocd_hidden,
    applications.argocd_owner,
    references.argocd_reference,
    projects.argocd_permitted,
    projects.argocd_narrow,
    kept.argocd_kept,
    ignored.argocd_ignored,
    people.argocd_access,
    rights.argocd_rights,
    rights.argocd_store,
)
