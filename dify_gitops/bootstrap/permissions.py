"""What whoever runs bootstrap must be allowed to do in the project; the script and `gen.py doctor` ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

# gcloud has no command for this question: https://cloud.google.com/resource-manager/reference/rest/v1/projects
PROJECTS: Final = "https://cloudresourcemanager.googleapis.com/v1/projects"

# Role → what bootstrap does with it: https://cloud.google.com/iam/docs/roles-permissions
_PERMISSIONS: Final = {
    "roles/serviceusage.serviceUsageAdmin": ("serviceusage.services.enable", "serviceusage.services.list"),
    "roles/compute.networkAdmin": (
        "compute.addresses.create",
        "compute.networks.create",
        "compute.subnetworks.create",
        "compute.subnetworks.use",
        "compute.routers.create",
        "compute.routers.update",
    ),
    "roles/container.admin": (
        "container.clusters.connect",
        "container.clusters.create",
        "container.clusters.update",
        "container.clusterRoleBindings.create",
        "container.customResourceDefinitions.create",
        "container.namespaces.create",
        "container.secrets.create",
    ),
    "roles/iam.serviceAccountAdmin": ("iam.serviceAccounts.create", "iam.serviceAccounts.setIamPolicy"),
    "roles/iam.serviceAccountUser": ("iam.serviceAccounts.actAs",),
    "roles/resourcemanager.projectIamAdmin": (
        "resourcemanager.projects.getIamPolicy",
        "resourcemanager.projects.setIamPolicy",
    ),
}
# Only to keep the token of a private repository.
_TOKEN: Final = {
    "roles/secretmanager.admin": (
        "secretmanager.secrets.create",
        "secretmanager.secrets.get",
        "secretmanager.versions.access",
        "secretmanager.versions.add",
    )
}


def permissions(site: Site) -> dict[str, tuple[str, ...]]:
    """What is needed in the project of an environment, by the role that has it."""
    return _PERMISSIONS | (_TOKEN if site.environment.argocd.repository_token else {})
