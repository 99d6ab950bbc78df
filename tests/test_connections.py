"""How workloads reach PostgreSQL, Redis, files and each other, and under which identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from repo import Cluster, build, environment, make

DATABASE_USERS = [
    ("Deployment", "api"),
    ("Deployment", "worker-interactive"),
    ("Deployment", "worker-batch"),
    ("Deployment", "beat"),
    ("Deployment", "plugin-daemon"),
    ("Job", "migration"),
]
REDIS_USERS = DATABASE_USERS[:-1]


def sidecars(cluster: Cluster, kind: str, name: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in cluster.pod(kind, name).get("initContainers", [])}


@pytest.mark.parametrize(("kind", "name"), DATABASE_USERS)
def test_postgresql_is_reached_through_the_auth_proxy(prod: Cluster, kind: str, name: str) -> None:
    proxy = sidecars(prod, kind, name)["cloud-sql-proxy"]
    assert proxy["restartPolicy"] == "Always"
    assert "--private-ip" in proxy["args"]
    assert proxy["startupProbe"], "the application starts once the proxy listens"
    variables = prod.environment(kind, name, "cloud-sql-proxy")
    assert variables["CSQL_PROXY_INSTANCE_CONNECTION_NAME"] == "acme-dify-prod:asia-northeast1:dify-postgres-a"
    main = prod.environment(kind, name)
    assert (main["DB_HOST"], main["DB_PORT"]) == ("127.0.0.1", "5432")
    assert "--port=5432" in proxy["args"]


@pytest.mark.parametrize(("kind", "name"), REDIS_USERS)
def test_redis_is_reached_through_the_tunnel(prod: Cluster, kind: str, name: str) -> None:
    tunnel = sidecars(prod, kind, name)["redis-tunnel"]
    assert tunnel["restartPolicy"] == "Always"
    variables = prod.environment(kind, name, "redis-tunnel")
    assert variables == {"REDIS_HOST": ("dify-redis", "host"), "REDIS_PORT": ("dify-redis", "port")}
    main = prod.environment(kind, name)
    assert (main["REDIS_HOST"], main["REDIS_PORT"]) == ("127.0.0.1", "6379")
    assert main["REDIS_PASSWORD"] == ("dify-redis", "password")
    volumes = {volume["name"]: volume for volume in prod.pod(kind, name)["volumes"]}
    assert volumes["redis-ca"]["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_others_have_no_way_to_them(prod: Cluster) -> None:
    for kind, name in (
        ("Deployment", "web"),
        ("Deployment", "ssrf-proxy"),
        ("Deployment", "sandbox"),
        ("Deployment", "plugin-gateway"),
        ("StatefulSet", "weaviate"),
    ):
        assert not sidecars(prod, kind, name)
    assert "redis-tunnel" not in sidecars(prod, "Job", "migration")


def test_the_connection_budget_is_what_pods_are_told(prod: Cluster) -> None:
    def pool(kind: str, name: str) -> int:
        variables = prod.environment(kind, name)
        return int(variables["SQLALCHEMY_POOL_SIZE"]) + int(variables["SQLALCHEMY_MAX_OVERFLOW"])

    def most(name: str) -> int:
        return int(prod.get("ScaledObject", name)["spec"]["maxReplicaCount"])

    api = int(prod.get("HorizontalPodAutoscaler", "api")["spec"]["maxReplicas"])
    plugin = int(prod.environment("Deployment", "plugin-daemon")["DB_MAX_OPEN_CONNS"])
    total = (
        api * pool("Deployment", "api")
        + sum(most(name) * pool("Deployment", name) for name in ("worker-interactive", "worker-batch"))
        + pool("Deployment", "beat")
        + plugin
        + pool("Job", "migration")
        + 10
    )
    assert total == 179


def test_files_are_reached_without_a_key(prod: Cluster) -> None:
    for name in ("api", "worker-interactive", "beat"):
        variables = prod.environment("Deployment", name)
        assert variables["STORAGE_TYPE"] == "google-storage"
        assert variables["GOOGLE_STORAGE_BUCKET_NAME"] == "acme-dify-prod-dify"
        assert "GOOGLE_STORAGE_SERVICE_ACCOUNT_JSON_BASE64" not in variables


def test_plugins_stay_on_the_volume_until_the_daemon_can_do_without_a_key(prod: Cluster, tmp_path: Path) -> None:
    assert prod.environment("Deployment", "plugin-daemon")["PLUGIN_STORAGE_TYPE"] == "local"
    newer = environment(images="{pluginDaemon: {tag: 0.5.7-local}}")
    later = Cluster(build(make(tmp_path, prod=newer), "overlays/prod"))
    variables = later.environment("Deployment", "plugin-daemon")
    assert variables["PLUGIN_STORAGE_TYPE"] == "gcs"
    assert variables["PLUGIN_STORAGE_OSS_BUCKET"] == "acme-dify-prod-dify-plugins", "not beside the tenants' keys"
    assert "GCS_CREDENTIALS" not in variables


def test_each_workload_has_an_identity_of_its_own(prod: Cluster) -> None:
    accounts = {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one["metadata"].get("annotations", {})
        for one in prod.all("ServiceAccount")
    }
    used = set()
    for workload, pod in prod.pods():
        account = (workload["metadata"]["namespace"], pod["serviceAccountName"])
        assert account in accounts
        used.add(account)
    assert used == set(accounts)
    google = {name: notes.get("iam.gke.io/gcp-service-account") for (_, name), notes in accounts.items()}
    assert google == {
        **{
            name: f"dify-{name}@acme-dify-prod.iam.gserviceaccount.com"
            for name in ("api", "worker", "beat", "migration", "plugin-daemon", "weaviate", "weaviate-backup")
        },
        "web": None,
        "sandbox": None,
        "ssrf-proxy": None,
        "plugin-gateway": None,
        "restart": None,
    }


def test_no_pod_has_a_kubernetes_token(prod: Cluster) -> None:
    for _, pod in prod.pods():
        assert pod["automountServiceAccountToken"] is False
    for account in prod.all("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def test_outbound_requests_go_through_the_proxy(prod: Cluster) -> None:
    proxy = "http://ssrf-proxy.dify.svc.cluster.local:3128"
    for name in ("api", "worker-batch"):
        variables = prod.environment("Deployment", name)
        assert variables["SSRF_PROXY_HTTP_URL"] == variables["SSRF_PROXY_HTTPS_URL"] == proxy
    sandbox = prod.environment("Deployment", "sandbox")
    assert sandbox["HTTP_PROXY"] == sandbox["HTTPS_PROXY"] == proxy


def test_both_sides_know_the_same_keys(prod: Cluster) -> None:
    api = prod.environment("Deployment", "api")
    daemon = prod.environment("Deployment", "plugin-daemon")
    assert api["PLUGIN_DAEMON_KEY"] == daemon["SERVER_KEY"]
    assert api["INNER_API_KEY_FOR_PLUGIN"] == daemon["DIFY_INNER_API_KEY"]
    assert api["CODE_EXECUTION_API_KEY"] == prod.environment("Deployment", "sandbox")["API_KEY"]
    assert api["PLUGIN_MAX_PACKAGE_SIZE"] == daemon["MAX_PLUGIN_PACKAGE_SIZE"]


def test_public_addresses_are_one_https_origin(prod: Cluster) -> None:
    variables = prod.environment("Deployment", "api")
    origin = "https://dify.prod.acme.example"
    for name in (
        "CONSOLE_API_URL",
        "CONSOLE_WEB_URL",
        "SERVICE_API_URL",
        "APP_WEB_URL",
        "FILES_URL",
        "TRIGGER_URL",
    ):
        assert variables[name] == origin
    assert variables["ENDPOINT_URL_TEMPLATE"] == f"{origin}/e/{{hook_id}}"
    assert variables["INTERNAL_FILES_URL"] == "http://api.dify.svc.cluster.local:5001"
    web = prod.environment("Deployment", "web")
    assert (web["CONSOLE_API_URL"], web["APP_API_URL"]) == ("", ""), "empty is the same origin"
    assert web["HOSTNAME"] == "0.0.0.0"


def test_empty_values_stand_only_where_empty_means_something(prod: Cluster) -> None:
    empty = {
        (config["metadata"]["name"].rpartition("-")[0], key)
        for config in prod.all("ConfigMap")
        for key, value in config.get("data", {}).items()
        if value == ""
    }
    assert empty == {("dify-common", "CHECK_UPDATE_URL"), ("web", "CONSOLE_API_URL"), ("web", "APP_API_URL")}


def test_api_worker_and_beat_share_what_is_shared(prod: Cluster) -> None:
    variables = {name: prod.environment("Deployment", name) for name in ("api", "worker-batch", "beat")}
    own = {"MODE", "SQLALCHEMY_POOL_SIZE", "SQLALCHEMY_MAX_OVERFLOW"}
    for one in variables.values():
        for other in variables.values():
            assert all(one[key] == other[key] for key in one.keys() & other.keys() - own)


def test_mail_only_where_a_server_is_named(prod: Cluster, tmp_path: Path) -> None:
    assert "MAIL_TYPE" not in prod.environment("Deployment", "api")
    smtp = "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: dify-smtp}"
    mailing = Cluster(build(make(tmp_path, prod=environment(smtp=smtp)), "overlays/prod"))
    variables = mailing.environment("Deployment", "api")
    assert variables["MAIL_TYPE"] == "smtp"
    assert variables["SMTP_PORT"] == "587"
    assert variables["SMTP_PASSWORD"] == ("dify-smtp", "password")
    policy = mailing.get("NetworkPolicy", "smtp")["spec"]
    assert policy["egress"][0]["ports"] == [{"protocol": "TCP", "port": 587}]


def test_user_variables_win_over_defaults(tmp_path: Path) -> None:
    text = environment(variables='{dify: {UPLOAD_FILE_SIZE_LIMIT: "50", MY_OWN: "on = 1e3 # x"}}')
    cluster = Cluster(build(make(tmp_path, prod=text), "overlays/prod"))
    variables = cluster.environment("Deployment", "api")
    assert variables["UPLOAD_FILE_SIZE_LIMIT"] == "50"
    assert variables["MY_OWN"] == "on = 1e3 # x"
