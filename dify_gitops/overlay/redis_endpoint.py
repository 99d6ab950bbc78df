"""Redis' address, password and CAs without External Secrets: a Job reads them from the RedisInstance's status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dify_gitops import names
from dify_gitops.catalogue import redis
from dify_gitops.catalogue.secrets import REDIS
from dify_gitops.components import ConfigMap, scripts
from dify_gitops.gcp.resource import api_version
from dify_gitops.k8s.identity import service_account
from dify_gitops.k8s.objects import Manifest, manifest

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment

NAME = names.REDIS_ENDPOINT
_PATIENCE = 25 * 60  # seconds; a new instance takes up to 15 minutes
# When External Secrets takes over there is no moment without the Secret, in which a pod could not start. It need not
# outlive the Application: who has none of its pods any more can read the values again.
_KEPT = "Prune=false"
_DEADLINE = _PATIENCE + 5 * 60  # pulling the image, another try


def wanted(environment: Environment) -> bool:
    """Whether the Job does it, and not External Secrets."""
    return environment.redis.endpoint == "job"


def _template(environment: Environment) -> dict[str, Any]:
    instance = f"/apis/{api_version('redis')}/namespaces/{names.INFRA}/redisinstances/{environment.redis.instance}"
    return scripts.pod(
        NAME,
        {
            "INSTANCE": instance,
            "SECRET": f"/api/v1/namespaces/{names.DIFY}/secrets/{REDIS}",
            "BROKER_URL": redis.broker_url("{password}"),
            "HASH_ANNOTATION": names.DATA_HASH,
            "TIMEOUT_SECONDS": str(_PATIENCE),
        },
    )


def manifests(environment: Environment) -> list[Manifest]:
    """The Secret without values, and who fills it; none where External Secrets does."""
    if not wanted(environment):
        return []
    job = {"backoffLimit": 3, "activeDeadlineSeconds": _DEADLINE, "template": _template(environment)}
    return [
        service_account(NAME),
        manifest(
            "Without values: the Job brings them, and as Git does not name them Argo CD leaves them alone.",
            ("v1", "Secret"),
            REDIS,
            workload="secrets",
            wave=names.WAVE_FOUNDATION,
            annotations={names.SYNC_OPTIONS: _KEPT},
            type="Opaque",
        ),
        manifest(
            "In the wave before the pods that need the Secret. After the sync would be too late: it waits for them.",
            ("batch/v1", "Job"),
            NAME,
            workload=NAME,
            wave=names.WAVE_SECRETS,
            annotations={names.HOOK: "Sync", names.HOOK_DELETE_POLICY: "BeforeHookCreation"},
            spec=job,
        ),
        manifest(
            "The same between syncs: CAs and the password may change at any time, with nothing new in Git.",
            ("batch/v1", "CronJob"),
            NAME,
            workload=NAME,
            wave=names.WAVE_TRAFFIC,
            spec=scripts.schedule("*/15 * * * *", 300, {**job, "backoffLimit": 0}),
        ),
    ]


def config(environment: Environment) -> list[ConfigMap]:
    """The script."""
    return [scripts.script(NAME)] if wanted(environment) else []
