"""What api, worker, beat and migration have in common: they run the same image."""

from __future__ import annotations

from typing import Any

from dify_gitops.catalogue import images
from dify_gitops.components.sidecars import REDIS_CA, REDIS_CONFIG, cloud_sql_proxy, redis_tunnel
from dify_gitops.k8s import pods

UID = 1001  # the image's user is a name, which Kubernetes cannot prove not to be root


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
