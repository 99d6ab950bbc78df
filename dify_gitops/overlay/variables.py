"""`.env` files of one environment: addresses, names, sizes, queues, and what depends on its Dify version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.catalogue import database, ports
from dify_gitops.catalogue.releases import RELEASES, Variable
from dify_gitops.catalogue.variables import Section
from dify_gitops.catalogue.variables.section import url
from dify_gitops.components import ConfigMap
from dify_gitops.env_file import env_file
from dify_gitops.input.buckets import backup_bucket, files_bucket, plugin_bucket
from dify_gitops.input.queues import pool_queues
from dify_gitops.overlay.images import keyless_plugins
from dify_gitops.quantity import bytes_of

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment


def connection_name(environment: Environment) -> str:
    """How the Auth Proxy finds the database: known before the database exists, so nothing has to be copied."""
    return f"{environment.project}:{environment.region}:{environment.database.instance}"


def _section(title: str, *variables: tuple[str, str] | tuple[str, str, str]) -> Section:
    return Section(title, tuple(Variable(*variable) for variable in variables))


def _release(variables: tuple[Variable, ...], user: dict[str, str]) -> list[Section]:
    """What the release brings, but for what the user sets: a name stands once in a file."""
    left = tuple(variable for variable in variables if variable.name not in user)
    return [Section("What not every Dify version knows", left)] if left else []


def _user(variables: dict[str, str], key: str, name: str) -> list[Section]:
    """The user's variables come last and win over ours."""
    title = f"environments/{name}.yaml: variables.{key}"
    return [_section(title, *sorted(variables.items()))] if variables else []


def _dify(name: str, environment: Environment) -> list[Section]:
    origin = f"https://{environment.domain}"
    sections = [
        _section(
            "Public addresses: one host for everything, https everywhere, no trailing slash",
            ("CONSOLE_API_URL", origin),
            ("CONSOLE_WEB_URL", origin),
            ("SERVICE_API_URL", origin),
            ("APP_WEB_URL", origin),
            ("FILES_URL", origin),
            ("TRIGGER_URL", origin),
            ("ENDPOINT_URL_TEMPLATE", f"{origin}/e/{{hook_id}}"),
            ("CONSOLE_CORS_ALLOW_ORIGINS", origin),
        ),
        _section(
            "Files",
            ("GOOGLE_CLOUD_PROJECT", environment.project),
            ("GOOGLE_STORAGE_BUCKET_NAME", files_bucket(environment)),
        ),
        _section("Schedules", ("LOG_TZ", environment.time_zone, "also the time zone of Celery beat")),
    ]
    if smtp := environment.smtp:
        sections.append(
            _section(
                "Mail; SMTP_PASSWORD comes from a Secret",
                ("MAIL_TYPE", "smtp"),
                ("MAIL_DEFAULT_SEND_FROM", smtp.sender),
                ("SMTP_SERVER", smtp.server),
                ("SMTP_PORT", str(smtp.port)),
                ("SMTP_USERNAME", smtp.username),
                ("SMTP_USE_TLS", "true"),
                ("SMTP_OPPORTUNISTIC_TLS", "false" if smtp.port == 465 else "true"),  # noqa: PLR2004 - implicit TLS
            )
        )
    release = RELEASES[environment.dify]
    return [
        *sections,
        *_release(release.dify, environment.variables.dify),
        *_user(environment.variables.dify, "dify", name),
    ]


def _plugin_daemon(name: str, environment: Environment) -> list[Section]:
    if keyless_plugins(environment):
        storage = _section(
            "Packages in Cloud Storage, with the identity of the pod",
            ("PLUGIN_STORAGE_TYPE", "gcs"),
            ("PLUGIN_STORAGE_OSS_BUCKET", plugin_bucket(environment)),
        )
    else:
        storage = _section(
            "Packages on the volume: before 0.5.7 the daemon reaches Cloud Storage only with a key file",
            ("PLUGIN_STORAGE_TYPE", "local"),
            ("PLUGIN_STORAGE_LOCAL_ROOT", "/app/storage"),
        )
    debugging = "true" if environment.plugin_daemon.remote_debugging else "false"
    release = RELEASES[environment.dify]
    return [
        storage,
        _section("Remote debugging", ("PLUGIN_REMOTE_INSTALLING_ENABLED", debugging)),
        *_release(release.plugin_daemon_variables, environment.variables.plugin_daemon),
        *_user(environment.variables.plugin_daemon, "pluginDaemon", name),
    ]


def _weaviate(environment: Environment) -> list[Section]:
    limit = bytes_of(environment.weaviate.limits.memory)
    return [
        _section("Memory", ("GOMEMLIMIT", f"{max(1, limit * 85 // 100 >> 20)}MiB", "85 % of the container's limit")),
        _section(
            "Backups",
            ("GOOGLE_CLOUD_PROJECT", environment.project),
            ("BACKUP_GCS_BUCKET", backup_bucket(environment)),
        ),
    ]


def _backup(environment: Environment) -> list[Section]:
    return [
        _section(
            "Backup job",
            ("WEAVIATE_URL", url("weaviate", ports.WEAVIATE)),
            ("BACKUP_BUCKET", backup_bucket(environment)),
            (
                "KEEP",
                str(environment.weaviate.backup.keep),
                "older ones are removed after a new one succeeded",
            ),
            ("TIMEOUT_SECONDS", "10800"),
        )
    ]


def _worker(queues: tuple[str, ...], concurrency: int) -> list[Section]:
    pool = database.worker(concurrency)
    return [
        _section(
            "Queues: each is in exactly one pool",
            ("CELERY_QUEUES", ",".join(queues)),
            (
                "CELERY_WORKER_AMOUNT",
                str(concurrency),
                "tasks at a time; the default of 1 lets one long run block all",
            ),
        ),
        _section(
            "Database connections",
            ("SQLALCHEMY_POOL_SIZE", str(pool.size)),
            ("SQLALCHEMY_MAX_OVERFLOW", str(pool.overflow)),
        ),
    ]


def config_maps(name: str, environment: Environment) -> list[ConfigMap]:
    """Every ConfigMap of one environment but squid.conf, in the order of the kustomization."""
    release = RELEASES[environment.dify]
    web = [*_release(release.web, environment.variables.web), *_user(environment.variables.web, "web", name)]
    sandbox = _user(environment.variables.sandbox, "sandbox", name)
    queues = pool_queues(environment)
    pools = environment.worker.pools
    sections = {
        "cloud-sql-proxy": [
            _section("Instance", ("CSQL_PROXY_INSTANCE_CONNECTION_NAME", connection_name(environment)))
        ],
        "dify-environment": _dify(name, environment),
        "plugin-daemon-environment": _plugin_daemon(name, environment),
        "weaviate-backup": _backup(environment),
        "weaviate-environment": _weaviate(environment),
        "web-environment": web,
        **{f"worker-{pool}": _worker(queues[pool], pools[pool].concurrency) for pool in sorted(pools)},
    }
    return [
        *(ConfigMap(key, {f"{key}.env": env_file(value)}) for key, value in sections.items()),
        ConfigMap("sandbox-environment", {"sandbox-environment.env": env_file(sandbox)}, names.SANDBOX),
    ]
