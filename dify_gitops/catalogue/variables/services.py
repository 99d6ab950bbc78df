"""Variables of web, plugin daemon, sandbox and Weaviate.

Sources: langgenius/dify, web/docker/entrypoint.sh; dify-plugin-daemon, internal/types/app/config.go; dify-sandbox,
internal/static/config.go; weaviate, usecases/config/environment.go.
"""

from __future__ import annotations

from dify_gitops.catalogue import database, ports
from dify_gitops.catalogue.redis import CACHE_DATABASE
from dify_gitops.catalogue.variables.section import (
    API_URL,
    KEEP_ALIVE,
    PLUGIN_CALL,
    SSRF_PROXY_URL,
    Section,
    fixed,
    tunable,
)

WEB = (
    Section(
        "Server",
        (
            fixed("HOSTNAME", "0.0.0.0", "Kubernetes sets the pod's name, and Next.js would listen there only"),
            fixed("PORT", str(ports.WEB)),
            fixed("KEEP_ALIVE_TIMEOUT", str(KEEP_ALIVE * 1000), "ms; longer than the load balancer's 600 s"),
            fixed("EDITION", "SELF_HOSTED"),
            fixed("DEPLOY_ENV", "PRODUCTION"),
            fixed("NEXT_TELEMETRY_DISABLED", "1"),
        ),
    ),
    Section(
        "API: empty means the same origin, one host serves everything",
        (fixed("CONSOLE_API_URL", ""), fixed("APP_API_URL", "")),
    ),
    Section(
        "What the browser is told",
        (
            tunable("MARKETPLACE_API_URL", "https://marketplace.dify.ai"),
            tunable("MARKETPLACE_URL", "https://marketplace.dify.ai"),
            tunable("TEXT_GENERATION_TIMEOUT_MS", "600000"),
            tunable("ALLOW_EMBED", "false", "true lets other sites frame the console"),
            tunable("TOP_K_MAX_VALUE", "10"),
            tunable("INDEXING_MAX_SEGMENTATION_TOKENS_LENGTH", "4000", "the same as the api's"),
            tunable("LOOP_NODE_MAX_COUNT", "100"),
            tunable("MAX_TOOLS_NUM", "10"),
            tunable("MAX_PARALLEL_LIMIT", "10"),
            tunable("MAX_ITERATIONS_NUM", "99"),
            tunable("MAX_TREE_DEPTH", "50"),
        ),
    ),
)

PLUGIN_DAEMON = (
    Section(
        "Server",
        (
            fixed("SERVER_PORT", str(ports.PLUGIN_DAEMON)),
            fixed("PLATFORM", "local"),
            fixed("DIFY_INNER_API_URL", API_URL),
            fixed("HEALTH_API_LOG_ENABLED", "false", "probes would fill the log"),
            fixed("HOME", "/tmp", "the root file system is read-only"),
            fixed("UV_CACHE_DIR", "/tmp/uv-cache"),
        ),
    ),
    Section(
        "PostgreSQL, through the Cloud SQL Auth Proxy beside the container. The database exists: it is not created",
        (
            fixed("DB_TYPE", "postgresql"),
            fixed("DB_HOST", "127.0.0.1"),
            fixed("DB_PORT", str(ports.POSTGRES)),
            fixed("DB_USERNAME", database.PLUGIN.user),
            fixed("DB_DATABASE", database.PLUGIN.name),
            fixed("DB_SSL_MODE", "disable", "the proxy speaks TLS to the database"),
            fixed("DB_MAX_OPEN_CONNS", str(database.PLUGIN_DAEMON)),
            fixed("DB_MAX_IDLE_CONNS", "5"),
        ),
    ),
    Section(
        "Redis, through the TLS tunnel beside the container",
        (
            fixed("REDIS_HOST", "127.0.0.1"),
            fixed("REDIS_PORT", str(ports.REDIS_TUNNEL)),
            fixed("REDIS_DB", str(CACHE_DATABASE)),
            fixed("REDIS_USE_SSL", "false"),
        ),
    ),
    Section(
        "Plugins",
        (
            fixed("PLUGIN_WORKING_PATH", "/app/storage/cwd", "unpacked plugins and their virtual environments"),
            fixed("PLUGIN_REMOTE_INSTALLING_HOST", "0.0.0.0"),
            fixed("PLUGIN_REMOTE_INSTALLING_PORT", str(ports.PLUGIN_DEBUGGING)),
            fixed("MAX_PLUGIN_PACKAGE_SIZE", "52428800", "the same limit as the api's"),
            tunable("PLUGIN_MAX_EXECUTION_TIMEOUT", str(PLUGIN_CALL)),
            tunable("PYTHON_ENV_INIT_TIMEOUT", "300", "a first installation compiles packages"),
            fixed("FORCE_VERIFYING_SIGNATURE", "true", "only signed plugins"),
        ),
    ),
)

SANDBOX = (
    Section(
        "Server",
        (
            fixed("SANDBOX_PORT", str(ports.SANDBOX)),
            fixed("GIN_MODE", "release"),
            fixed("DEBUG", "false"),
            tunable("MAX_WORKERS", "4", "programs at a time"),
            tunable("MAX_REQUESTS", "50", "and in the queue"),
            tunable("WORKER_TIMEOUT", "15", "seconds for one program"),
        ),
    ),
    Section(
        "Network: through the SSRF proxy, there is no other way out",
        (
            fixed("ENABLE_NETWORK", "true"),
            fixed("HTTP_PROXY", SSRF_PROXY_URL),
            fixed("HTTPS_PROXY", SSRF_PROXY_URL),
        ),
    ),
)

WEAVIATE = (
    Section(
        "Node: one replica under a stable name, whose address changes with every restart",
        (
            fixed("PERSISTENCE_DATA_PATH", "/var/lib/weaviate"),
            fixed("CLUSTER_HOSTNAME", "weaviate-0"),
            fixed("RAFT_JOIN", "weaviate-0"),
            fixed("RAFT_BOOTSTRAP_EXPECT", "1"),
            fixed("RAFT_ENABLE_ONE_NODE_RECOVERY", "true", "the new address takes over the old one's place"),
            fixed("LOG_LEVEL", "info"),
            fixed("LOG_FORMAT", "json"),
            fixed("DISABLE_TELEMETRY", "true"),
            fixed("GO_PROFILING_DISABLE", "true", "on by default, on a port of its own"),
            fixed("PROMETHEUS_MONITORING_ENABLED", "true"),
            fixed("PROMETHEUS_MONITORING_PORT", str(ports.WEAVIATE_METRICS)),
        ),
    ),
    Section(
        "Access: one key, its user, nobody else",
        (
            fixed("AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED", "false"),
            fixed("AUTHENTICATION_APIKEY_ENABLED", "true"),
            fixed("AUTHENTICATION_APIKEY_USERS", "dify"),
            fixed("AUTHORIZATION_ADMINLIST_ENABLED", "true"),
            fixed("AUTHORIZATION_ADMINLIST_USERS", "dify"),
        ),
    ),
    Section(
        "Modules: Dify brings its own vectors; backups go to Cloud Storage with the identity of the pod",
        (
            fixed("DEFAULT_VECTORIZER_MODULE", "none"),
            fixed("ENABLE_MODULES", "backup-gcs"),
            fixed("BACKUP_GCS_USE_AUTH", "true"),
            fixed("QUERY_DEFAULTS_LIMIT", "25"),
        ),
    ),
)
