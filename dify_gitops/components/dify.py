"""What api, worker, beat and migration have in common: they run the same image."""

from __future__ import annotations

from typing import Any

from dify_gitops.catalogue import images, secrets
from dify_gitops.components.sidecars import REDIS_CA, REDIS_CONFIG, cloud_sql_proxy, redis_tunnel
from dify_gitops.k8s import pods

UID = 1001  # the image's user is a name, which Kubernetes cannot prove not to be root

DATABASE_PASSWORD = ("DB_PASSWORD", secrets.DATABASE, "password")

# The secrets that api, worker and beat need to start.
SECRETS = (
    ("SECRET_KEY", secrets.APP, "secret-key"),
    DATABASE_PASSWORD,
    ("REDIS_PASSWORD", secrets.REDIS, "password"),
    ("CELERY_BROKER_URL", secrets.REDIS, "broker-url"),
    ("PLUGIN_DAEMON_KEY", secrets.PLUGIN, "server-key"),
)
# And those that api and worker need to call the other services.
CLIENT_SECRETS = (
    ("INNER_API_KEY_FOR_PLUGIN", secrets.PLUGIN, "inner-api-key"),
    ("CODE_EXECUTION_API_KEY", secrets.SANDBOX, "api-key"),
    ("WEAVIATE_API_KEY", secrets.WEAVIATE, "api-key"),
    ("SMTP_PASSWORD", secrets.SMTP, "password"),
)


def container(
    name: str, *, size: dict[str, Any], config: tuple[str, ...], env: list[dict[str, Any]], **fields: Any
) -> Any:
    """A container of the image; ``config`` comes after the shared ConfigMaps, so that it wins."""
    return pods.container(
        name,
        images.API,
        size=size,
        config=("dify-common", *config),
        env=env,
        mounts={"/tmp": "tmp"},
        **fields,
    )


def pod(workload: str, main: dict[str, Any], *, tmp: str = "1Gi", redis: bool = True, **fields: Any) -> dict[str, Any]:
    """A pod with the sidecars that lead to PostgreSQL and Redis."""
    tunnel = [REDIS_CONFIG, REDIS_CA] if redis else []
    return pods.pod(
        workload,
        uid=UID,
        sidecars=[cloud_sql_proxy(), *([redis_tunnel()] if redis else [])],
        containers=[main],
        volumes=[pods.scratch("tmp", tmp), *tunnel],
        **fields,
    )
