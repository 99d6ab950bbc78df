"""What the cluster must have before Argo CD can do the rest: Config Connector, Argo CD, its first Application."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.argocd.secrets import SECRET_TYPE, git_user
from dify_gitops.bootstrap import Command, Step
from dify_gitops.catalogue import secrets
from dify_gitops.catalogue.controllers import ALPHA_GROUPS, CONFIG_CONNECTOR_VERSION
from dify_gitops.gcp import backup
from dify_gitops.k8s.objects import identity

if TYPE_CHECKING:
    from dify_gitops.gcp import Site

_RELEASES = "gs://configconnector-operator"
_SOURCE = "https://raw.githubusercontent.com/GoogleCloudPlatform/k8s-config-connector"
_OPERATOR = "operator-system/configconnector-operator.yaml"
_ESTABLISHED = ("--for=condition=Established", "--timeout=120s")


def context(site: Site) -> str:
    """Name that gcloud gives the cluster in a kubeconfig."""
    environment = site.environment
    return f"gke_{environment.project}_{environment.region}_{names.CLUSTER}"


def _kubectl(site: Site, *words: str) -> tuple[str, ...]:
    """Always with the context: another terminal may switch to another cluster meanwhile."""
    return ("kubectl", *words, f"--context={context(site)}")


def _apply(site: Site, *words: str) -> Command:
    return Command(_kubectl(site, "apply", "--server-side", "--force-conflicts", *words))


def _shell(text: str, unless: tuple[str, ...] = ()) -> Command:
    return Command(("bash", "-o", "pipefail", "-c", text), unless)


def credentials(site: Site) -> Step:
    """A way to the API server for kubectl."""
    environment = site.environment
    place = (f"--location={environment.region}", f"--project={environment.project}")
    dns = () if environment.cluster.authorized_networks else ("--dns-endpoint",)
    words = ("gcloud", "container", "clusters", "get-credentials", names.CLUSTER, *place, *dns)
    return Step("kubectl", [Command(words)])


def alpha_kinds(site: Site) -> list[str]:
    """Names of the definitions that Config Connector's operator leaves out, of the kinds that are used."""
    used = {identity(manifest.body) for manifest in backup.concern(site).manifests}
    return sorted({f"{one.kind.lower()}s.{one.group}" for one in used if one.group in ALPHA_GROUPS})


def config_connector(site: Site) -> Step:
    """The operator; what it shall do stands in config-connector/."""
    version = CONFIG_CONNECTOR_VERSION
    kubectl = " ".join(_kubectl(site, "apply", "--server-side", "--force-conflicts", "-f", "-"))
    bundle = f"gcloud storage cat {_RELEASES}/{version}/release-bundle.tar.gz"
    crds = alpha_kinds(site)
    folder = f"{_SOURCE}/v{version}/config/crds/resources/apiextensions.k8s.io_v1_customresourcedefinition"
    operator = ("rollout", "status", "statefulset/configconnector-operator", "--timeout=300s")
    return Step(
        f"Config Connector {version}",
        [
            _shell(f"{bundle} | tar -xzO ./{_OPERATOR} | {kubectl}"),
            Command(_kubectl(site, "--namespace=configconnector-operator-system", *operator)),
            *(_apply(site, "-f", f"{folder}_{crd}.yaml") for crd in crds),
        ],
    )


def argocd(site: Site) -> Step:
    """Argo CD, with the patches that it keeps when it upgrades itself."""
    crds = [f"crd/{kind}.argoproj.io" for kind in ("applications", "appprojects")]
    return Step(
        "Argo CD",
        [
            _apply(site, "-f", f"argocd/{site.name}/generated/namespaces.yaml"),
            _apply(site, "-k", f"bootstrap/{site.name}/argocd"),
            Command(_kubectl(site, "wait", *_ESTABLISHED, *crds)),
        ],
    )


def repository(site: Site) -> Step | None:
    """How Argo CD reads a private repository; None where anybody can."""
    url = site.platform.repository
    token = site.environment.argocd.repository_token
    here = f"--namespace={names.ARGOCD}"
    name = secrets.REPOSITORY
    there = _kubectl(site, here, "get", "secret", name)
    create = " ".join(_kubectl(site, here, "create", "secret", "generic", name, "--from-literal=type=git"))
    create = f"{create} --from-literal=url={url}"
    label = Command(_kubectl(site, here, "label", "--overwrite", "secret", name, f"{SECRET_TYPE}=repository"))
    if token:
        project = f"--project={site.environment.project}"
        ask = f'read -rsp {shlex.quote(f"Token that may only read {url}: ")} value && test -n "$value"'
        keep = f"gcloud secrets create {token} {project} --replication-policy=automatic --data-file=-"
        kept = ("gcloud", "secrets", "describe", token, project)
        read = f"gcloud secrets versions access latest --secret={token} {project}"
        named = f"--from-literal=username={git_user(url)}"
        made = _shell(f"{read} | {create} {named} --from-file=password=/dev/stdin", there)
        return Step(
            "The token of the Git repository",
            [
                Command(("gcloud", "services", "enable", "secretmanager.googleapis.com", project)),
                _shell(f'{ask} && printf %s "$value" | {keep}', kept),
                made,
                label,
            ],
        )
    if not site.platform.over_ssh:
        return None
    key = f"$(mktemp -d)/{name}"
    gone = "trap 'rm -f \"$key\"' EXIT"  # also where a later command fails
    new = f"ssh-keygen -q -t ed25519 -N '' -C 'argocd {site.name}' -f \"$key\""
    text = f'key="{key}" && {gone} && {new} && {create} --from-file=sshPrivateKey="$key"'
    field = ("-o", "jsonpath={.data.sshPrivateKey}")
    read = f"{shlex.join((*there, *field))} | base64 -d | ssh-keygen -y -f /dev/stdin"
    show = f"echo 'Add this to the repository as a deploy key that may only read:' && {read}"
    return Step("The deploy key of the Git repository", [_shell(text, there), label, _shell(show)])


def first_application(site: Site) -> Step:
    """Settings, project and the Application `root`, which brings everything else."""
    only = f"--selector={names.BOOTSTRAP}=true"
    return Step("The first Application", [_apply(site, "-k", f"argocd/{site.name}", only)])
