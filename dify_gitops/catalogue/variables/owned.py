"""Which variables are ours, so that the input may not set them."""

from __future__ import annotations

from dify_gitops.catalogue.releases import RELEASES
from dify_gitops.catalogue.variables import API, BEAT, CLIENTS, COMMON, MIGRATION, PLUGIN_DAEMON, SANDBOX, WEB, WORKER

# What overlays/<env>/generated sets, by target: dify_gitops/overlay/variables.py.
PER_ENVIRONMENT = {
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

SECTIONS = {
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
        ).union(PER_ENVIRONMENT[target], _NEVER[target])
        for target, sections in SECTIONS.items()
    }
