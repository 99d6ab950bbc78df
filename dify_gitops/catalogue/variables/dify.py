"""api, worker, beat and migration. Sources: langgenius/dify, api/configs and docker/.env.example."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import database, ports
from dify_gitops.catalogue.redis import CACHE_DATABASE
from dify_gitops.catalogue.variables.section import (
    API_URL,
    KEEP_ALIVE,
    LONGEST_RUN,
    PLUGIN_CALL,
    SSRF_PROXY_URL,
    Section,
    fixed,
    tunable,
    url,
)

# Shared by api, worker, beat and the migration: a value that differed between them would be a bug.
COMMON = (
    Section(
        "Process",
        (
            fixed("DEPLOY_ENV", "PRODUCTION"),
            fixed(
                "MIGRATION_ENABLED",
                "false",
                "only the migration Job migrates: the built-in way swallows errors",
            ),
            fixed("HOME", "/tmp", "the image has no home directory, and the root file system is read-only"),
            fixed("LANG", "C.UTF-8"),
            fixed("LC_ALL", "C.UTF-8"),
            fixed("PYTHONIOENCODING", "utf-8"),
            fixed("SWAGGER_UI_ENABLED", "false", "the API's documentation is not for the public"),
            tunable("CHECK_UPDATE_URL", "", "empty switches the update check off: updates come through Git"),
        ),
    ),
    Section(
        "Logs: LOG_FILE stays unset, so that everything goes to stdout",
        (
            tunable("LOG_LEVEL", "INFO"),
            fixed("LOG_OUTPUT_FORMAT", "json", "Cloud Logging reads severity and fields"),
            tunable("ENABLE_REQUEST_LOGGING", "false"),
            tunable("ENABLE_OTEL", "false"),
        ),
    ),
    Section(
        "PostgreSQL, through the Cloud SQL Auth Proxy beside the container: no TLS settings of its own",
        (
            fixed("DB_TYPE", "postgresql"),
            fixed("DB_HOST", "127.0.0.1"),
            fixed("DB_PORT", str(ports.POSTGRES)),
            fixed("DB_USERNAME", database.DIFY.user),
            fixed("DB_DATABASE", database.DIFY.name),
            fixed("SQLALCHEMY_POOL_PRE_PING", "true", "survives fail-over and maintenance of the database"),
            tunable("SQLALCHEMY_POOL_RECYCLE", "1800"),
            tunable("SQLALCHEMY_POOL_TIMEOUT", "30"),
            tunable("RETRIEVAL_SERVICE_EXECUTORS", "4", "otherwise the number of cores of the whole node"),
        ),
    ),
    Section(
        "Redis, through the TLS tunnel beside the container; CELERY_BROKER_URL (database 1) comes from a Secret",
        (
            fixed("REDIS_HOST", "127.0.0.1"),
            fixed("REDIS_PORT", str(ports.REDIS_TUNNEL)),
            fixed("REDIS_DB", str(CACHE_DATABASE)),
            fixed("REDIS_USE_SSL", "false", "the tunnel speaks TLS and verifies the instance's CA"),
            fixed("CELERY_BACKEND", "redis"),
        ),
    ),
    Section(
        "Files: Cloud Storage with the identity of the pod, no key",
        (fixed("STORAGE_TYPE", "google-storage"), tunable("FILES_ACCESS_TIMEOUT", "300")),
    ),
    Section(
        "Marketplace: asked by the API, and by a schedule that looks for new versions of plugins",
        (
            tunable("MARKETPLACE_ENABLED", "true"),
            tunable("MARKETPLACE_API_URL", "https://marketplace.dify.ai"),
        ),
    ),
    Section(
        "Schedules; workers read these too, because they decide which tasks are loaded",
        (
            fixed(
                "ENABLE_WORKFLOW_SCHEDULE_POLLER_TASK",
                "true",
                "fills a queue every minute: see the worker pools",
            ),
            fixed(
                "ENABLE_TRIGGER_PROVIDER_REFRESH_TASK",
                "true",
                "fills a queue every minute: see the worker pools",
            ),
            tunable("ENABLE_CHECK_UPGRADABLE_PLUGIN_TASK", "true"),
            tunable("ENABLE_CLEAN_EMBEDDING_CACHE_TASK", "false"),
            tunable("ENABLE_CLEAN_UNUSED_DATASETS_TASK", "false"),
            tunable("ENABLE_CLEAN_MESSAGES", "false"),
            tunable("ENABLE_MAIL_CLEAN_DOCUMENT_NOTIFY_TASK", "false"),
            tunable("WORKFLOW_LOG_CLEANUP_ENABLED", "false"),
            tunable("WORKFLOW_LOG_RETENTION_DAYS", "30"),
            fixed("ENABLE_DATASETS_QUEUE_MONITOR", "false", "queue length is watched from outside"),
        ),
    ),
)


# What api and worker need to call the other services. beat and the migration call none.
CLIENTS = (
    Section(
        "Vector store: the client needs HTTP and gRPC",
        (
            fixed("VECTOR_STORE", "weaviate"),
            fixed("WEAVIATE_ENDPOINT", url("weaviate", ports.WEAVIATE)),
            fixed("WEAVIATE_GRPC_ENDPOINT", url("weaviate", ports.WEAVIATE_GRPC, scheme="grpc")),
            fixed("WEAVIATE_GRPC_ENABLED", "true"),
            tunable("WEAVIATE_BATCH_SIZE", "100"),
        ),
    ),
    Section(
        "Code nodes: directly to the sandbox, not through the proxy",
        (
            fixed("CODE_EXECUTION_ENDPOINT", url("sandbox", ports.SANDBOX, names.SANDBOX)),
            tunable("CODE_EXECUTION_CONNECT_TIMEOUT", "10"),
            tunable("CODE_EXECUTION_READ_TIMEOUT", "60", "longer than the sandbox's own WORKER_TIMEOUT"),
            tunable("CODE_EXECUTION_WRITE_TIMEOUT", "10"),
        ),
    ),
    Section(
        "HTTP nodes and file fetches: through the SSRF proxy. With only one of the two set Dify goes round it",
        (
            fixed("SSRF_PROXY_HTTP_URL", SSRF_PROXY_URL),
            fixed("SSRF_PROXY_HTTPS_URL", SSRF_PROXY_URL),
            tunable("SSRF_DEFAULT_TIME_OUT", "5"),
            tunable("SSRF_DEFAULT_CONNECT_TIME_OUT", "5"),
            tunable("SSRF_DEFAULT_READ_TIME_OUT", "5"),
            tunable("SSRF_DEFAULT_WRITE_TIME_OUT", "5"),
            tunable("HTTP_REQUEST_MAX_CONNECT_TIMEOUT", "10"),
            tunable("HTTP_REQUEST_MAX_READ_TIMEOUT", "600"),
            tunable("HTTP_REQUEST_MAX_WRITE_TIMEOUT", "600"),
            fixed("HTTP_REQUEST_NODE_SSL_VERIFY", "true"),
        ),
    ),
    Section(
        "Plugins",
        (
            fixed("PLUGIN_DAEMON_URL", url("plugin-daemon", ports.PLUGIN_DAEMON)),
            tunable("PLUGIN_DAEMON_TIMEOUT", str(PLUGIN_CALL)),
            fixed("PLUGIN_MAX_PACKAGE_SIZE", "52428800", "the same limit as the plugin daemon's"),
        ),
    ),
    Section(
        "Addresses inside of the cluster; the public ones differ per environment",
        (
            fixed("INTERNAL_FILES_URL", API_URL, "how the plugin daemon and workers fetch files"),
            fixed("RESPECT_XFORWARD_HEADERS_ENABLED", "true", "the load balancer is the only way in"),
            tunable("WEB_API_CORS_ALLOW_ORIGINS", "*", "published apps may be embedded anywhere"),
        ),
    ),
    Section(
        "Limits",
        (
            tunable("UPLOAD_FILE_SIZE_LIMIT", "15", "MB, as all of these"),
            tunable("UPLOAD_IMAGE_FILE_SIZE_LIMIT", "10"),
            tunable("UPLOAD_VIDEO_FILE_SIZE_LIMIT", "100"),
            tunable("UPLOAD_AUDIO_FILE_SIZE_LIMIT", "50"),
            tunable("UPLOAD_FILE_BATCH_LIMIT", "5"),
            tunable("BATCH_UPLOAD_LIMIT", "20"),
            fixed("APP_MAX_EXECUTION_TIME", str(LONGEST_RUN), "seconds; shutdown and the load balancer wait as long"),
            tunable("APP_MAX_ACTIVE_REQUESTS", "0", "0 is without limit"),
            tunable("WORKFLOW_MAX_EXECUTION_STEPS", "500"),
            fixed("WORKFLOW_MAX_EXECUTION_TIME", str(LONGEST_RUN), "seconds; workers are given as long to finish"),
            tunable("WORKFLOW_CALL_MAX_DEPTH", "5"),
            tunable("MAX_VARIABLE_SIZE", "204800"),
            tunable("INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH", "4000", "the same as web's"),
            tunable("WEBHOOK_REQUEST_BODY_MAX_SIZE", "10485760"),
            tunable("MULTIMODAL_SEND_FORMAT", "base64"),
        ),
    ),
)


def _pool(pool: database.Pool) -> Section:
    return Section(
        "Database connections of this process: part of the budget in dify_gitops/catalogue/database.py",
        (fixed("SQLALCHEMY_POOL_SIZE", str(pool.size)), fixed("SQLALCHEMY_MAX_OVERFLOW", str(pool.overflow))),
    )


API = (
    Section(
        "Server",
        (
            fixed("MODE", "api"),
            fixed("DIFY_BIND_ADDRESS", "0.0.0.0"),
            fixed("DIFY_PORT", str(ports.API)),
            fixed("SERVER_WORKER_AMOUNT", "1", "replicas do the scaling"),
            fixed("SERVER_WORKER_CLASS", "gevent"),
            tunable(
                "SERVER_WORKER_CONNECTIONS",
                "1000",
                "every stream and every idle connection holds one; the default is 10",
            ),
            tunable("GUNICORN_TIMEOUT", "360"),
            fixed(
                "GUNICORN_CMD_ARGS",
                f"--keep-alive {KEEP_ALIVE} --graceful-timeout {LONGEST_RUN} --worker-tmp-dir /tmp",
                f"longer than the load balancer's 600 s; running streams get {LONGEST_RUN} s to end",
            ),
        ),
    ),
    _pool(database.API),
)

WORKER = (
    Section(
        "Celery; queues, concurrency and connections differ per pool",
        (
            fixed("MODE", "worker"),
            fixed("CELERY_WORKER_CLASS", "gevent"),
            fixed("CELERY_AUTO_SCALE", "false", "pods scale, not processes"),
            fixed("CELERY_PREFETCH_MULTIPLIER", "1"),
        ),
    ),
)

BEAT = (Section("Celery beat", (fixed("MODE", "beat"),)), _pool(database.BEAT))

MIGRATION = (
    Section("One-off command", (fixed("MODE", "job", "runs `flask db upgrade` and returns its exit code"),)),
    _pool(database.MIGRATION),
)
