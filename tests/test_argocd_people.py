"""What the input says of people: who logs in to Argo CD, what they may do, what they are told, and its secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from repo import PLATFORM, Cluster, build, environment, make

LOGIN = "issuer: 'https://login.acme.example', clientId: argo, platform: [sre, 'platform:admins'], viewers: [everybody]"
OPTIONS = (
    f"{{repositoryToken: acme-git, slack: {{channel: alerts, token: acme-slack}},"
    f" oidc: {{{LOGIN}, clientSecret: acme-oidc}}}}"
)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Argo CD's objects where the input names all of it."""
    return Cluster(build(make(tmp_path_factory.mktemp("options"), prod=environment(argocd=OPTIONS)), "argocd/prod"))


@pytest.fixture(scope="module", params=["dev", "prod", "options"])
def root(request: pytest.FixtureRequest, tree: Path, options: Cluster) -> Cluster:
    return options if request.param == "options" else Cluster(build(tree, f"argocd/{request.param}"))


def settings(root: Cluster, name: str) -> dict[str, str]:
    return dict(root.get("ConfigMap", name, "argocd").get("data") or {})


def policy(root: Cluster) -> list[list[str]]:
    lines = settings(root, "argocd-rbac-cm")["policy.csv"].splitlines()
    return [[word.strip() for word in line.split(",")] for line in lines]


def groups(root: Cluster) -> list[list[str]]:
    return [line[1:] for line in policy(root) if line[0] == "g"]


def test_people_log_in_as_the_input_says(options: Cluster) -> None:
    general = settings(options, "argocd-cm")
    assert general["admin.enabled"] == "false"
    assert yaml.safe_load(general["oidc.config"])["clientSecret"] == "$argocd-oidc:clientSecret"
    assert groups(options) == [
        ["sre", "role:platform"],
        ["platform:admins", "role:platform"],
        ["everybody", "role:readonly"],
    ]


@pytest.mark.parametrize("root", ["dev", "prod"], indirect=True)
def test_only_the_administrator_logs_in_where_the_input_names_nobody(root: Cluster) -> None:
    general = settings(root, "argocd-cm")
    assert (groups(root), general["admin.enabled"], "oidc.config" in general) == ([], "true", False)


def test_nobody_changes_an_application_by_hand(root: Cluster) -> None:
    assert settings(root, "argocd-rbac-cm")["policy.default"] == ""
    assert {line[3] for line in policy(root) if line[0] == "p"} == {"get", "sync", "action/*"}


def login(tmp_path: Path, oidc: str) -> Any:
    root = make(tmp_path, prod=environment(argocd=f"{{oidc: {{{oidc}}}}}"))
    return yaml.safe_load(Cluster(build(root, "argocd/prod")).get("ConfigMap", "argocd-cm")["data"]["oidc.config"])


def test_a_client_without_a_secret_uses_pkce(tmp_path: Path) -> None:
    assert login(tmp_path, LOGIN)["enablePKCEAuthentication"] is True
    assert "clientSecret" not in login(tmp_path, LOGIN)
    assert "enablePKCEAuthentication" not in login(tmp_path, f"{LOGIN}, clientSecret: acme-oidc")


def test_every_message_that_is_subscribed_to_can_be_sent(root: Cluster) -> None:
    data = settings(root, "argocd-notifications-cm")
    wanted = {one for each in yaml.safe_load(data.get("subscriptions", "[]")) for one in each["triggers"]}
    assert {f"trigger.{one}" for one in wanted} == {key for key in data if key.startswith("trigger.")}
    sent = {one for name in wanted for rule in yaml.safe_load(data[f"trigger.{name}"]) for one in rule["send"]}
    assert {f"template.{one}" for one in sent} == {key for key in data if key.startswith("template.")}


def test_messages_go_to_the_channel_of_the_input(options: Cluster) -> None:
    (subscription,) = yaml.safe_load(settings(options, "argocd-notifications-cm")["subscriptions"])
    assert subscription["recipients"] == ["slack:alerts"]


# ExternalSecret: its key, name in Secret Manager, type of the Secret, further data
NAMED = {
    "argocd-oidc": ("clientSecret", "acme-oidc", None, None),
    "argocd-notifications-secret": ("slack-token", "acme-slack", None, None),
    "git-repository": (
        "password",
        "acme-git",
        "repository",
        {
            "type": "git",
            "url": "https://github.com/acme/dify-platform.git",
            "username": "git",
            "password": "{{ .password }}",
        },
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_argocd_reads_what_external_secrets_makes(options: Cluster, name: str) -> None:
    key, stored, kind, data = NAMED[name]
    spec = options.get("ExternalSecret", name, "argocd")["spec"]
    assert [(one["secretKey"], one["remoteRef"]["key"]) for one in spec["data"]] == [(key, stored)]
    template = spec["target"]["template"]
    assert template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd", "Argo CD reads no other"
    assert template["metadata"]["labels"].get("argocd.argoproj.io/secret-type") == kind
    assert template.get("data") == data


def test_a_token_of_bitbucket_comes_with_its_own_user(tmp_path: Path) -> None:
    platform = PLATFORM.replace("https://github.com/", "https://bitbucket.org/")
    root = make(tmp_path, platform, prod=environment(argocd="{repositoryToken: acme-git}"))
    secret = Cluster(build(root, "argocd/prod")).get("ExternalSecret", "git-repository")
    assert secret["spec"]["target"]["template"]["data"]["username"] == "x-token-auth"
    assert "--from-literal=username=x-token-auth" in (root / "bootstrap/prod/bootstrap.sh").read_text(encoding="utf-8")


def test_argocd_has_no_other_secret(options: Cluster) -> None:
    assert {one["metadata"]["name"] for one in options.all("ExternalSecret")} == set(NAMED)
