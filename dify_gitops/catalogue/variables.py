"""Environment variables that are the same in every environment, by ConfigMap, in sections as they are read.

Sources: langgenius/dify, api/configs and docker/.env.example; dify-plugin-daemon, internal/types/app/config.go;
dify-sandbox, internal/static/config.go; weaviate, usecases/config/environment.go. Secrets are not here: secrets.py.
An empty value is a value for Dify: what shall be unset is left out, unless empty has a meaning (see the reason).
"""

from __future__ import annotations

import msgspec

from dify_gitops import names
from dify_gitops.catalogue import database, ports
from dify_gitops.catalogue.releases import RELEASES, Variable


class Section(msgspec.Struct, frozen=True):
    """Variables that belong together, under a title."""

    title: str
    variables: tuple[Variable, ...]


def _v(name: str, value: str, why: str = "") -> Variable:
    return Variable(name, value, why)


def _t(name: str, value: str, why: str = "") -> Variable:
    return Variable(name, value, why, tunable=True)


def _url(service: str, port: int, namespace: str = names.DIFY, scheme: str = "http") -> str:
    return f"{scheme}://{names.host(service, namespace)}:{port}"


SSRF_PROXY_URL = _url("ssrf-proxy", ports.SSRF_PROXY)
API_URL = _url("api", ports.API)

# Shared by api, worker, beat and the migration: a value that differed between them would be a bug.
COMMON = (
    Section(
        "Process",
        (
            _v("DEPLOY_ENV", "PRODUCTION"),
            _v(
                "MIGRATION_ENABLED",
                "false",
                "only the migration Job migrates: the built-in way swallows errors",
            ),
            _v("HOME", "/tmp", "the image has no home directory, and the root file system is read-only"),
            _v("LANG", "C.UTF-8"),
            _v("LC_ALL", "C.UTF-8"),
            _v("PYTHONIOENCODING", "utf-8"),
            _v("SWAGGER_UI_ENABLED", "false", "the API's documentation is not for the public"),
            _t("CHECK_UPDATE_URL", "", "empty switches the update check off: updates come through Git"),
        ),
    ),
    Section(
        "Logs: LOG_FILE stays unset, so that everything goes to stdout",
        (
            _t("LOG_LEVEL", "INFO"),
            _v("LOG_OUTPUT_FORMAT", "json", "Cloud Logging reads severity and fields"),
            _t("ENABLE_REQUEST_LOGGING", "false"),
            _t("ENABLE_OTEL", "false"),
        ),
    ),
    Section(
        "PostgreSQL, through the Cloud SQL Auth Proxy beside the container: no TLS settings of its own",
        (
            _v("DB_TYPE", "postgresql"),
            _v("DB_HOST", "127.0.0.1"),
            _v("DB_PORT", str(ports.POSTGRES)),
            _v("DB_USERNAME", database.DIFY.user),
            _v("DB_DATABASE", database.DIFY.name),
            _v("SQLALCHEMY_POOL_PRE_PING", "true", "survives fail-over and maintenance of the database"),
            _t("SQLALCHEMY_POOL_RECYCLE", "1800"),
            _t("SQLALCHEMY_POOL_TIMEOUT", "30"),
            _t("RETRIEVAL_SERVICE_EXECUTORS", "4", "otherwise the number of cores of the whole node"),
        ),
    ),
    Section(
        "Redis, through the TLS tunnel beside the container; CELERY_BROKER_URL (database 1) comes from a Secret",
        (
            _v("REDIS_HOST", "127.0.0.1"),
            _v("REDIS_PORT", str(ports.REDIS_TUNNEL)),
            _v("REDIS_DB", "0"),
            _v("REDIS_USE_SSL", "false", "the tunnel speaks TLS and verifies the instance's CA"),
            _v("CELERY_BACKEND", "redis"),
        ),
    ),
    Section(
        "Files: Cloud Storage with the identity of the pod, no key",
        (_v("STORAGE_TYPE", "google-storage"), _t("FILES_ACCESS_TIMEOUT", "300")),
    ),
    Section(
        "Schedules; workers read these too, because they decide which tasks are loaded",
        (
            _v(
                "ENABLE_WORKFLOW_SCHEDULE_POLLER_TASK",
                "true",
                "fills a queue every minute: see the worker pools",
            ),
            _v(
                "ENABLE_TRIGGER_PROVIDER_REFRESH_TASK",
                "true",
                "fills a queue every minute: see the worker pools",
            ),
            _t("ENABLE_CHECK_UPGRADABLE_PLUGIN_TASK", "true"),
            _t("ENABLE_CLEAN_EMBEDDING_CACHE_TASK", "false"),
            _t("ENABLE_CLEAN_UNUSED_DATASETS_TASK", "false"),
            _t("ENABLE_CLEAN_MESSAGES", "false"),
            _t("ENABLE_MAIL_CLEAN_DOCUMENT_NOTIFY_TASK", "false"),
            _t("WORKFLOW_LOG_CLEANUP_ENABLED", "false"),
            _t("WORKFLOW_LOG_RETENTION_DAYS", "30"),
            _v("ENABLE_DATASETS_QUEUE_MONITOR", "false", "queue length is watched from outside"),
        ),
    ),
)


# What api and worker need to call the other services. beat and the migration call none.
CLIENTS = (
    Section(
        "Vector store: the client needs HTTP and gRPC",
        (
            _v("VECTOR_STORE", "weaviate"),
            _v("WEAVIATE_ENDPOINT", _url("weaviate", ports.WEAVIATE)),
            _v("WEAVIATE_GRPC_ENDPOINT", _url("weaviate", ports.WEAVIATE_GRPC, scheme="grpc")),
            _v("WEAVIATE_GRPC_ENABLED", "true"),
            _t("WEAVIATE_BATCH_SIZE", "100"),
        ),
    ),
    Section(
        "Code nodes: directly to the sandbox, not through the proxy",
        (
            _v("CODE_EXECUTION_ENDPOINT", _url("sandbox", ports.SANDBOX, names.SANDBOX)),
            _t("CODE_EXECUTION_CONNECT_TIMEOUT", "10"),
            _t("CODE_EXECUTION_READ_TIMEOUT", "60", "longer than the sandbox's own WORKER_TIMEOUT"),
            _t("CODE_EXECUTION_WRITE_TIMEOUT", "10"),
        ),
    ),
    Section(
        "HTTP nodes and file fetches: through the SSRF proxy. With only one of the two set Dify goes round it",
        (
            _v("SSRF_PROXY_HTTP_URL", SSRF_PROXY_URL),
            _v("SSRF_PROXY_HTTPS_URL", SSRF_PROXY_URL),
            _t("SSRF_DEFAULT_TIME_OUT", "5"),
            _t("SSRF_DEFAULT_CONNECT_TIME_OUT", "5"),
            _t("SSRF_DEFAULT_READ_TIME_OUT", "5"),
            _t("SSRF_DEFAULT_WRITE_TIME_OUT", "5"),
            _t("HTTP_REQUEST_MAX_CONNECT_TIMEOUT", "10"),
            _t("HTTP_REQUEST_MAX_READ_TIMEOUT", "600"),
            _t("HTTP_REQUEST_MAX_WRITE_TIMEOUT", "600"),
            _v("HTTP_REQUEST_NODE_SSL_VERIFY", "true"),
        ),
    ),
    Section(
        "Plugins and marketplace",
        (
            _v("PLUGIN_DAEMON_URL", _url("plugin-daemon", ports.PLUGIN_DAEMON)),
            _t("PLUGIN_DAEMON_TIMEOUT", "600"),
            _v("PLUGIN_MAX_PACKAGE_SIZE", "52428800", "the same limit as the plugin daemon's"),
            _t("MARKETPLACE_ENABLED", "true"),
            _t("MARKETPLACE_API_URL", "https://marketplace.dify.ai"),
        ),
    ),
    Section(
        "Addresses inside of the cluster; the public ones differ per environment",
        (
            _v("INTERNAL_FILES_URL", API_URL, "how the plugin daemon and workers fetch files"),
            _v("RESPECT_XFORWARD_HEADERS_ENABLED", "true", "the load balancer is the only way in"),
            _t("WEB_API_CORS_ALLOW_ORIGINS", "*", "published apps may be embedded anywhere"),
        ),
    ),
    Section(
        "Limits",
        (
            _t("UPLOAD_FILE_SIZE_LIMIT", "15", "MB, as all of these"),
            _t("UPLOAD_IMAGE_FILE_SIZE_LIMIT", "10"),
            _t("UPLOAD_VIDEO_FILE_SIZE_LIMIT", "100"),
            _t("UPLOAD_AUDIO_FILE_SIZE_LIMIT", "50"),
            _t("UPLOAD_FILE_BATCH_LIMIT", "5"),
            _t("BATCH_UPLOAD_LIMIT", "20"),
            _t("APP_MAX_EXECUTION_TIME", "1200", "seconds; shutdown and the load balancer wait as long"),
            _t("APP_MAX_ACTIVE_REQUESTS", "0", "0 is without limit"),
            _t("WORKFLOW_MAX_EXECUTION_STEPS", "500"),
            _t("WORKFLOW_MAX_EXECUTION_TIME", "1200", "seconds; workers are given as long to finish"),
            _t("WORKFLOW_CALL_MAX_DEPTH", "5"),
            _t("MAX_VARIABLE_SIZE", "204800"),
            _t("INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH", "4000", "the same as web's"),
            _t("WEBHOOK_REQUEST_BODY_MAX_SIZE", "10485760"),
            _t("MULTIMODAL_SEND_FORMAT", "base64"),
        ),
    ),
)


def _pool(pool: database.Pool) -> Section:
    return Section(
        "Database connections of this process: part of the budget in dify_gitops/catalogue/database.py",
        (_v("SQLALCHEMY_POOL_SIZE", str(pool.size)), _v("SQLALCHEMY_MAX_OVERFLOW", str(pool.overflow))),
    )


# Seconds. A stream may run for APP_MAX_EXECUTION_TIME; a worker's task for WORKFLOW_MAX_EXECUTION_TIME.
LONGEST_RUN = 1200
# Google's load balancers keep idle connections for 600 s; a backend that closes earlier causes sporadic 502.
KEEP_ALIVE = 620

API = (
    Section(
        "Server",
        (
            _v("MODE", "api"),
            _v("DIFY_BIND_ADDRESS", "0.0.0.0"),
            _v("DIFY_PORT", str(ports.API)),
            _v("SERVER_WORKER_AMOUNT", "1", "replicas do the scaling"),
            _v("SERVER_WORKER_CLASS", "gevent"),
            _t(
                "SERVER_WORKER_CONNECTIONS",
                "1000",
                "every stream and every idle connection holds one; the default is 10",
            ),
            _t("GUNICORN_TIMEOUT", "360"),
            _v(
                "GUNICORN_CMD_ARGS",
                f"--keep-alive {KEEP_ALIVE} --graceful-timeout {LONGEST_RUN} --worker-tmp-dir /tmp",
                "longer than the load balancer's 600 s; streams may end before the pod does",
            ),
        ),
    ),
    _pool(database.API),
)

WORKER = (
    Section(
        "Celery; queues, concurrency and connections differ per pool",
        (
            _v("MODE", "worker"),
            _v("CELERY_WORKER_CLASS", "gevent"),
            _v("CELERY_AUTO_SCALE", "false", "pods scale, not processes"),
            _v("CELERY_PREFETCH_MULTIPLIER", "1"),
        ),
    ),
)

BEAT = (Section("Celery beat", (_v("MODE", "beat"),)), _pool(database.BEAT))

MIGRATION = (
    Section("One-off command", (_v("MODE", "job", "runs `flask db upgrade` and returns its exit code"),)),
    _pool(database.MIGRATION),
)

WEB = (
    Section(
        "Server",
        (
            _v("HOSTNAME", "0.0.0.0", "Kubernetes sets the pod's name, and Next.js would listen there only"),
            _v("PORT", str(ports.WEB)),
            _v("KEEP_ALIVE_TIMEOUT", str(KEEP_ALIVE * 1000), "ms; longer than the load balancer's 600 s"),
            _v("EDITION", "SELF_HOSTED"),
            _v("DEPLOY_ENV", "PRODUCTION"),
            _v("NEXT_TELEMETRY_DISABLED", "1"),
        ),
    ),
    Section(
        "API: empty means the same origin, one host serves everything",
        (_v("CONSOLE_API_URL", ""), _v("APP_API_URL", "")),
    ),
    Section(
        "What the browser is told",
        (
            _t("MARKETPLACE_API_URL", "https://marketplace.dify.ai"),
            _t("MARKETPLACE_URL", "https://marketplace.dify.ai"),
            _t("TEXT_GENERATION_TIMEOUT_MS", "600000"),
            _t("ALLOW_EMBED", "false", "true lets other sites frame the console"),
            _t("TOP_K_MAX_VALUE", "10"),
            _t("INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH", "4000", "the same as the api's"),
            _t("LOOP_NODE_MAX_COUNT", "100"),
            _t("MAX_TOOLS_NUM", "10"),
            _t("MAX_PARALLEL_LIMIT", "10"),
            _t("MAX_ITERATIONS_NUM", "99"),
            _t("MAX_TREE_DEPTH", "50"),
        ),
    ),
)

PLUGIN_DAEMON = (
    Section(
        "Server",
        (
            _v("SERVER_PORT", str(ports.PLUGIN_DAEMON)),
            _v("PLATFORM", "local"),
            _v("DIFY_INNER_API_URL", API_URL),
            _v("HEALTH_API_LOG_ENABLED", "false", "probes would fill the log"),
            _v("HOME", "/tmp", "the root file system is read-only"),
            _v("UV_CACHE_DIR", "/tmp/uv-cache"),
        ),
    ),
    Section(
        "PostgreSQL, through the Cloud SQL Auth Proxy beside the container. The database exists: it is not created",
        (
            _v("DB_TYPE", "postgresql"),
            _v("DB_HOST", "127.0.0.1"),
            _v("DB_PORT", str(ports.POSTGRES)),
            _v("DB_USERNAME", database.PLUGIN.user),
            _v("DB_DATABASE", database.PLUGIN.name),
            _v("DB_SSL_MODE", "disable", "the proxy speaks TLS to the database"),
            _v("DB_MAX_OPEN_CONNS", str(database.PLUGIN_DAEMON)),
            _v("DB_MAX_IDLE_CONNS", "5"),
        ),
    ),
    Section(
        "Redis, through the TLS tunnel beside the container",
        (
            _v("REDIS_HOST", "127.0.0.1"),
            _v("REDIS_PORT", str(ports.REDIS_TUNNEL)),
            _v("REDIS_DB", "0"),
            _v("REDIS_USE_SSL", "false"),
        ),
    ),
    Section(
        "Plugins",
        (
            _v("PLUGIN_WORKING_PATH", "/app/storage/cwd", "unpacked plugins and their virtual environments"),
            _v("PLUGIN_REMOTE_INSTALLING_HOST", "0.0.0.0"),
            _v("PLUGIN_REMOTE_INSTALLING_PORT", str(ports.PLUGIN_DEBUGGING)),
            _v("MAX_PLUGIN_PACKAGE_SIZE", "52428800", "the same limit as the api's"),
            _t("PLUGIN_MAX_EXECUTION_TIMEOUT", "600"),
            _t("PYTHON_ENV_INIT_TIMEOUT", "300", "a first installation compiles packages"),
            _v("FORCE_VERIFYING_SIGNATURE", "true", "only signed plugins"),
        ),
    ),
)

SANDBOX = (
    Section(
        "Server",
        (
            _v("SANDBOX_PORT", str(ports.SANDBOX)),
            _v("GIN_MODE", "release"),
            _v("DEBUG", "false"),
            _t("MAX_WORKERS", "4", "programs at a time"),
            _t("MAX_REQUESTS", "50", "and in the queue"),
            _t("WORKER_TIMEOUT", "15", "seconds for one program"),
        ),
    ),
    Section(
        "Network: through the SSRF proxy, there is no other way out",
        (
            _v("ENABLE_NETWORK", "true"),
            _v("HTTP_PROXY", SSRF_PROXY_URL),
            _v("HTTPS_PROXY", SSRF_PROXY_URL),
        ),
    ),
)

WEAVIATE = (
    Section(
        "Node: one replica under a stable name, whose address changes with every restart",
        (
            _v("PERSISTENCE_DATA_PATH", "/var/lib/weaviate"),
            _v("CLUSTER_HOSTNAME", "weaviate-0"),
            _v("RAFT_JOIN", "weaviate-0"),
            _v("RAFT_BOOTSTRAP_EXPECT", "1"),
            _v("RAFT_ENABLE_ONE_NODE_RECOVERY", "true", "the new address takes over the old one's place"),
            _v("LOG_LEVEL", "info"),
            _v("LOG_FORMAT", "json"),
            _v("DISABLE_TELEMETRY", "true"),
            _v("GO_PROFILING_DISABLE", "true", "on by default, on a port of its own"),
            _v("PROMETHEUS_MONITORING_ENABLED", "true"),
            _v("PROMETHEUS_MONITORING_PORT", str(ports.WEAVIATE_METRICS)),
        ),
    ),
    Section(
        "Access: one key, its user, nobody else",
        (
            _v("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "false"),
            _v("AUTHENTICATION_APIKEY_ENABLED", "true"),
            _v("AUTHENTICATION_APIKEY_USERS", "dify"),
            _v("AUTHORIZATION_ADMINLIST_ENABLED", "true"),
            _v("AUTHORIZATION_ADMINLIST_USERS", "dify"),
        ),
    ),
    Section(
        "Modules: Dify brings its own vectors; backups go to Cloud Storage with the identity of the pod",
        (
            _v("DEFAULT_VECTORIZER_MODULE", "none"),
            _v("ENABLE_MODULES", "backup-gcs"),
            _v("BACKUP_GCS_USE_AUTH", "true"),
            _v("QUERY_DEFAULTS_LIMIT", "25"),
        ),
    ),
)

# What overlays/<env>/generated sets, by target: dify_gitops/overlay/variables.py.
_PER_ENVIRONMENT = {
    "dify": (
        "APP_WEB_URL",
        "CELERY_QUEUES",
        "CELERY_WORKER_AMOUNT",
        "CONSOLE_API_URL",
        "CONSOLE_CORS_ALLOW_ORIGINS",
        "CONSOLE_WEB_URL",
        "ENDPOINT_URL_TEMPLATE",
        "FILES_URL",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_STORAGE_BUCKET_NAME",
        "LOG_TZ",
        "MAIL_DEFAULT_SEND_FROM",
        "MAIL_TYPE",
        "SERVICE_API_URL",
        "SMTP_OPPORTUNISTIC_TLS",
        "SMTP_PORT",
        "SMTP_SERVER",
        "SMTP_USERNAME",
        "SMTP_USE_TLS",
        "SQLALCHEMY_MAX_OVERFLOW",
        "SQLALCHEMY_POOL_SIZE",
        "TRIGGER_URL",
    ),
    "web": (),
    "plugin_daemon": (
        "PLUGIN_REMOTE_INSTALLING_ENABLED",
        "PLUGIN_STORAGE_LOCAL_ROOT",
        "PLUGIN_STORAGE_OSS_BUCKET",
        "PLUGIN_STORAGE_TYPE",
    ),
    "sandbox": (),
}
# Not set on purpose, and not by the user either: they would undo a decision of this repository.
_NEVER = {
    "dify": (
        "BROKER_USE_SSL",
        "CELERY_MAX_WORKERS",
        "CELERY_WORKER_CONCURRENCY",
        "CELERY_WORKER_POOL",
        "CELERY_WORKER_QUEUES",
        "COOKIE_DOMAIN",
        "DB_EXTRAS",
        "DEBUG",
        "EDITION",
        "FLASK_DEBUG",
        "LOG_FILE",
        "REDIS_SSL_CA_CERTS",
        "REDIS_USE_CLUSTERS",
        "REDIS_USE_SENTINEL",
        "SSRF_PROXY_ALL_URL",
    ),
    "web": ("NEXT_PUBLIC_COOKIE_DOMAIN",),
    "plugin_daemon": ("DB_DEFAULT_DATABASE", "DB_EXTRAS", "HTTPS_PROXY", "HTTP_PROXY"),
    "sandbox": ("ALLOWED_SYSCALLS",),
}

_SECTIONS = {
    "dify": (*COMMON, *CLIENTS, *API, *WORKER, *BEAT, *MIGRATION),
    "web": WEB,
    "plugin_daemon": PLUGIN_DAEMON,
    "sandbox": SANDBOX,
}


def owned_variables() -> dict[str, frozenset[str]]:
    """Names that the input's ``variables`` may not set, by target (dify, web, plugin_daemon, sandbox).

    Everything that we write or leave out on purpose, except what is marked tunable.
    """
    releases = RELEASES.values()
    bound = {
        "dify": [variable for release in releases for variable in release.dify],
        "web": [variable for release in releases for variable in release.web],
        "plugin_daemon": [variable for release in releases for variable in release.plugin_daemon_variables],
        "sandbox": [],
    }
    return {
        target: frozenset(
            variable.name
            for variable in (*(v for section in sections for v in section.variables), *bound[target])
            if not variable.tunable
        ).union(_PER_ENVIRONMENT[target], _NEVER[target])
        for target, sections in _SECTIONS.items()
    }
