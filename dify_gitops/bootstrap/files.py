"""The files of ``bootstrap/<env>/``: script, explanation, and the Argo CD to begin with. All from one list of steps."""

from __future__ import annotations

import shlex
from string import Template
from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.argocd import upstream
from dify_gitops.bootstrap import google, kubernetes
from dify_gitops.bootstrap.permissions import PROJECTS, permissions
from dify_gitops.catalogue.controllers import ARGOCD
from dify_gitops.catalogue.secrets import APP, REPOSITORY
from dify_gitops.emit import emit
from dify_gitops.gcp import dns
from dify_gitops.input.named_secrets import named_secrets
from dify_gitops.k8s.objects import sentence
from dify_gitops.templates import template

if TYPE_CHECKING:
    from dify_gitops.bootstrap import Command, Step
    from dify_gitops.gcp import Site

TOOLS = ("gcloud", "gke-gcloud-auth-plugin", "kubectl", "git", "curl")
_WIDTH = 110


def steps(site: Site) -> list[Step]:
    """Everything that bootstrap does, in order."""
    wanted = [
        google.apis(site),
        google.networks(site),
        google.nodes_account(site),
        google.clusters(site),
        google.config_connector_account(site),
        kubernetes.credentials(site),
        kubernetes.config_connector(site),
        kubernetes.argocd(site),
        kubernetes.repository(site),
        kubernetes.first_application(site),
    ]
    return [step for step in wanted if step]


def written(words: tuple[str, ...], indent: str = "") -> str:
    """A command as a shell reads it; flags on lines of their own where it would be long."""
    quoted = [shlex.quote(word) for word in words]
    line = " ".join(quoted)
    if len(indent) + len(line) <= _WIDTH or not any(word.startswith("--") for word in words):
        return line
    lines = [quoted[0]]
    for word in quoted[1:]:
        alone = word.lstrip("'").startswith("--")
        lines = [*lines, word] if alone else [*lines[:-1], f"{lines[-1]} {word}"]
    return f" \\\n{indent}  ".join(lines)


def _scripted(command: Command) -> str:
    if not command.unless:
        return f"run {written(command.words)}\n"
    there = "ready" if command.unless[:2] == ("gcloud", "container") else "there"
    return f"{there} {written(command.unless)} ||\n  run {written(command.words, '  ')}\n"


def script(site: Site, steps: list[Step], header: str) -> str:
    """``bootstrap.sh``."""
    environment = site.environment
    tools = [*TOOLS, *(["ssh-keygen"] if site.platform.over_ssh else [])]
    head = Template(template("bootstrap.sh")).substitute(
        name=site.name,
        path=f"bootstrap/{site.name}/bootstrap.sh",
        project=environment.project,
        repository=site.platform.repository,
        tools=" ".join(tools),
        projects=PROJECTS,
        permissions=" \\\n".join(f"  {' '.join(needed)}" for needed in permissions(site).values()),
    )
    body = [f"\nstep {shlex.quote(step.title)}\n" + "".join(map(_scripted, step.commands)) for step in steps]
    end = f"\nstep 'Argo CD is reconciling'\necho 'What is left for people: bootstrap/{site.name}/README.md'\n"
    return f"#!/usr/bin/env bash\n{header}{head}{''.join(body)}{end}"


def _kubectl(namespace: str, what: str, path: str) -> str:
    """Prints one field of an object."""
    return f"kubectl --namespace={namespace} get {what} -o jsonpath='{{{path}}}'"


def _named_secrets(site: Site) -> list[str]:
    """Values that only a person knows. Without a line break at the end, which most programs would take for a part."""
    project = f"--project={site.environment.project}"
    found = []
    for named in named_secrets(site.environment):
        add = f"gcloud secrets versions add {named.store_name} {project} --data-file=-"
        typed = f'read -rs value && printf %s "$value" | {add}'
        what = f"**{sentence(named.purpose, '')}**"
        if named.secret == REPOSITORY:
            found.append(f"{what}: the script asks for it, once.")
        else:
            found.append(
                f"{what}, once Config Connector has made its place: `{typed}` waits for it and does not show it."
            )
    return found


def _domain(site: Site) -> str:
    """Where the domain must point, and who has to be told."""
    environment = site.environment
    later = "The certificate comes by itself afterwards, within an hour."
    if environment.dns.managed:
        servers = _kubectl(names.INFRA, f"dnsmanagedzone {dns.zone_name(environment)}", ".status.nameServers")
        zone = dns.zone_of(environment)
        return f"**DNS**: enter what `{servers}` prints as NS records of `{zone}` at whoever holds its parent. {later}"
    address = _kubectl(names.INFRA, f"computeaddress {names.ADDRESS}", ".status.observedState.address")
    return f"**DNS**: enter what `{address}` prints as the A record of `{environment.domain}`. {later}"


def _login(site: Site) -> str:
    argocd = site.environment.argocd
    if argocd.oidc:
        back = f"`{argocd.url}/auth/callback` and `{argocd.url}/pkce/verify`"
        return f"**Login to Argo CD**: register {back} as redirect addresses of the client `{argocd.oidc.client_id}`."
    initial = _kubectl(names.ARGOCD, "secret argocd-initial-admin-secret", ".data.password")
    return f"**Login to Argo CD**: `admin` with what `{initial} | base64 -d` prints, until `argocd.oidc` is set."


def _human(site: Site) -> str:
    page = f"https://{site.environment.domain}/install"
    initial = _kubectl(names.DIFY, f"secret {APP}", ".data.init-password")
    first = f"**First administrator**: open `{page}`; it asks for what `{initial} | base64 -d` prints."
    found = [*_named_secrets(site), _domain(site), first, _login(site)]
    return "".join(f"{number}. {text}\n" for number, text in enumerate(found, 1))


def readme(site: Site, steps: list[Step], said: str) -> str:
    """``README.md``."""
    environment = site.environment
    listed = "\n".join(
        f"### {number}. {step.title}\n\n```sh\n"
        + "".join(f"{written(command.words)}\n" for command in step.commands)
        + "```\n"
        for number, step in enumerate(steps, 1)
    )
    text = Template(template("bootstrap.md")).substitute(
        name=site.name,
        project=environment.project,
        region=environment.region,
        repository=site.platform.repository,
        clone=site.platform.repository.rpartition("/")[2].removesuffix(".git"),
        context=kubernetes.context(site),
        cluster=names.CLUSTER,
        sql=environment.database.instance,
        url=environment.argocd.url,
        human=_human(site),
        steps=listed,
    )
    return f"<!-- {said} -->\n{text}"


def argocd(site: Site, header: str) -> str:
    """``argocd/kustomization.yaml``: what the Application `argocd` will own, before it exists."""
    why = "# Argo CD as its own Application has it: the same version, the same patches.\n"
    return (
        header
        + why
        + emit(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": names.ARGOCD,
                "resources": [f"{ARGOCD.repository}//{upstream.folder(site)}?ref={ARGOCD.version}"],
                "patches": upstream.patches(site),
            }
        )
    )
