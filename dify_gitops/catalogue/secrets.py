"""Secrets: the names and keys that workloads refer to, and sample values that everybody knows.

Values never appear in this repository: they are born in the cluster. Sources: langgenius/dify,
docker/.env.example and api/configs; dify-plugin-daemon, internal/types/app/config.go.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dify_gitops import names


class SecretKey(msgspec.Struct, frozen=True):
    """One key of one Kubernetes Secret. ``constraint`` is for its value; ``optional`` ones may be missing.

    ``stored`` ones also stand in Secret Manager; the others are addresses and certificates, which are no secrets.
    ``length`` is how many letters and digits are generated once; 0 where the value comes from elsewhere.
    """

    namespace: str
    secret: str
    key: str
    purpose: str
    constraint: str
    optional: bool = False
    stored: bool = True
    length: int = 0

    @property
    def store_name(self) -> str:
        """Name in Secret Manager, the same for every namespace that reads it."""
        return f"{self.secret}-{self.key}"


APP: Final = "dify-app"
DATABASE: Final = "dify-database"
PLUGIN_DATABASE: Final = "dify-plugin-database"
REDIS: Final = "dify-redis"
SANDBOX: Final = "dify-sandbox"
PLUGIN: Final = "dify-plugin"
WEAVIATE: Final = "dify-weaviate"
SMTP: Final = "dify-smtp"

VARIABLES_SECRET: Final = "dify-variables"  # noqa: S105 - a name: what variables.secrets of the input names: keys are variables
OIDC: Final = "argocd-oidc"
NOTIFICATIONS: Final = "argocd-notifications-secret"  # the name that Argo CD reads
REPOSITORY: Final = "git-repository"


def _born(namespace: str, secret: str, key: str, purpose: str, length: int) -> SecretKey:
    return SecretKey(namespace, secret, key, purpose, f"{length} letters and digits", length=length)


def _database(namespace: str) -> tuple[SecretKey, ...]:
    """Passwords that pods and Config Connector's users share. No other characters: they stand in connection strings."""
    return (
        _born(namespace, DATABASE, "password", "PostgreSQL user of Dify", 32),
        _born(namespace, PLUGIN_DATABASE, "password", "PostgreSQL user of the plugin daemon", 32),
    )


def _redis(key: str, purpose: str, constraint: str, *, stored: bool = False) -> SecretKey:
    return SecretKey(names.DIFY, REDIS, key, purpose, constraint, stored=stored)


INVENTORY: Final = (
    _born(names.DIFY, APP, "secret-key", "signs sessions and file links; never changes", 64),
    _born(
        names.DIFY, APP, "init-password", "opens the first administrator's page, and takes 30 characters at most", 30
    ),
    *_database(names.DIFY),
    *_database(names.INFRA),
    _redis("host", "address of Memorystore", "IPv4 address, from the instance"),
    _redis("port", "port of Memorystore", "a number, from the instance"),
    _redis("address", "the same for KEDA", "host:port"),
    _redis("password", "AUTH of Memorystore", "from the instance, a UUID", stored=True),
    _redis("ca.crt", "CAs of Memorystore", "PEM, every CA that the instance lists"),
    _redis("broker-url", "Celery's broker, through the tunnel", "redis://:PASSWORD@127.0.0.1:6379/1", stored=True),
    _born(names.DIFY, SANDBOX, "api-key", "sandbox, as its clients know it", 32),
    _born(names.SANDBOX, SANDBOX, "api-key", "sandbox, as it knows itself", 32),
    _born(names.DIFY, PLUGIN, "server-key", "Dify calls the plugin daemon", 64),
    _born(names.DIFY, PLUGIN, "inner-api-key", "the plugin daemon calls Dify", 64),
    _born(names.DIFY, WEAVIATE, "api-key", "Weaviate's only user", 32),
    SecretKey(names.DIFY, SMTP, "password", "mail server", "as the server wants it", optional=True),
)

# What Secret Manager holds, once each. That of the mail server has the name that the input gives it.
STORED: Final = tuple({entry.store_name: entry for entry in INVENTORY if entry.stored and not entry.optional}.values())

_REFERABLE: Final = {(entry.secret, entry.key): entry for entry in INVENTORY}

# Environment of Dify's processes, (variable, Secret, key): what api, worker and beat need to start,
DATABASE_PASSWORD: Final = ("DB_PASSWORD", DATABASE, "password")
SHARED: Final = (
    ("SECRET_KEY", APP, "secret-key"),
    DATABASE_PASSWORD,
    ("REDIS_PASSWORD", REDIS, "password"),
    ("CELERY_BROKER_URL", REDIS, "broker-url"),
    ("PLUGIN_DAEMON_KEY", PLUGIN, "server-key"),
)
# what api and worker need to call the other services,
CLIENTS: Final = (
    ("INNER_API_KEY_FOR_PLUGIN", PLUGIN, "inner-api-key"),
    ("CODE_EXECUTION_API_KEY", SANDBOX, "api-key"),
    ("WEAVIATE_API_KEY", WEAVIATE, "api-key"),
    ("SMTP_PASSWORD", SMTP, "password"),
)
# and what api alone does.
API: Final = (("INIT_PASSWORD", APP, "init-password"),)
DIFY_VARIABLES: Final = frozenset(variable for variable, *_ in (*SHARED, *CLIENTS, *API))

# Sample values that everybody can read: docker/.env.example and defaults in the code.
PUBLISHED_ANYWHERE: Final = ("sk-9f73s3lj", "difyai123456", "lYkiYYT6", "QaHbTe77", "WVF5YTha")
"""Beginnings of long values: nothing else contains them."""

PUBLISHED_WHOLE: Final = ("dify-sandbox", "plugin-api-key", "inner-api-key")
"""Short values, which are also innocent names: a secret only where they are the whole value of a variable."""

# Variables that take a secret. Their values come from Secrets, or from nowhere.
VARIABLES: Final = frozenset(
    {
        "ADMIN_API_KEY",
        "API_KEY",
        "AUTHENTICATION_APIKEY_ALLOWED_KEYS",
        "CELERY_BROKER_URL",
        "CELERY_SENTINEL_PASSWORD",
        "CODE_EXECUTION_API_KEY",
        "DB_PASSWORD",
        "DIFY_INNER_API_KEY",
        "GCS_CREDENTIALS",
        "GITHUB_CLIENT_SECRET",
        "GOOGLE_CLIENT_SECRET",
        "GOOGLE_STORAGE_SERVICE_ACCOUNT_JSON_BASE64",
        "INIT_PASSWORD",
        "INNER_API_KEY",
        "INNER_API_KEY_FOR_PLUGIN",
        "NOTION_CLIENT_SECRET",
        "NOTION_INTERNAL_SECRET",
        "OTLP_API_KEY",
        "PLUGIN_DAEMON_KEY",
        "PLUGIN_DIFY_INNER_API_KEY",
        "REDIS_CLUSTERS_PASSWORD",
        "REDIS_PASSWORD",
        "REDIS_SENTINEL_PASSWORD",
        "RESEND_API_KEY",
        "SECRET_KEY",
        "SENDGRID_API_KEY",
        "SENTRY_DSN",
        "SERVER_KEY",
        "SMTP_PASSWORD",
        "UNSTRUCTURED_API_KEY",
        "WEAVIATE_API_KEY",
    }
)

# How the names of secrets end, for the many variables of Dify and of plugins that no list knows.
ENDINGS: Final = (
    "KEY",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "SECRET",
    "TOKEN",
    "DSN",
    "CREDENTIAL",
    "CREDENTIALS",
    "CONNECTION_STRING",
    "JSON_BASE64",
)
# End alike, and every browser may see them.
HARMLESS: Final = frozenset({"AMPLITUDE_API_KEY"})


def is_secret(variable: str) -> bool:
    """Whether the value of an environment variable is a secret, by what we know or by how it is called."""
    name = variable.upper()
    ends = any(name == ending or name.endswith(f"_{ending}") for ending in ENDINGS)
    return name in VARIABLES or (ends and name not in HARMLESS)


def ref(secret: str, key: str) -> dict[str, Any]:
    """``valueFrom`` of an environment variable. Raises KeyError for what is not in the inventory."""
    entry = _REFERABLE.get((secret, key))
    if entry is None:
        raise KeyError(f"no key {key!r} of Secret {secret!r} in dify_gitops/catalogue/secrets.py")
    return {"secretKeyRef": {"name": secret, "key": key, **({"optional": True} if entry.optional else {})}}
