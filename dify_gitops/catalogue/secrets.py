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
    """

    namespace: str
    secret: str
    key: str
    purpose: str
    constraint: str
    optional: bool = False
    stored: bool = True

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

_URL_SAFE = "letters and digits only: it also stands in a URL or a connection string"

INVENTORY: Final = (
    SecretKey(names.DIFY, APP, "secret-key", "signs sessions and file links", "64 letters and digits; never changes"),
    SecretKey(names.DIFY, APP, "init-password", "opens the first administrator's page", "30 characters at most"),
    SecretKey(names.DIFY, DATABASE, "password", "PostgreSQL user of Dify", f"32 characters; {_URL_SAFE}"),
    SecretKey(
        names.DIFY,
        PLUGIN_DATABASE,
        "password",
        "PostgreSQL user of the plugin daemon",
        f"32 characters; {_URL_SAFE}",
    ),
    # Config Connector gives the same passwords to the users of the instance.
    SecretKey(names.INFRA, DATABASE, "password", "PostgreSQL user of Dify", f"32 characters; {_URL_SAFE}"),
    SecretKey(
        names.INFRA,
        PLUGIN_DATABASE,
        "password",
        "PostgreSQL user of the plugin daemon",
        f"32 characters; {_URL_SAFE}",
    ),
    SecretKey(names.DIFY, REDIS, "host", "address of Memorystore", "IPv4 address, from the instance", stored=False),
    SecretKey(names.DIFY, REDIS, "port", "port of Memorystore", "a number, from the instance", stored=False),
    SecretKey(names.DIFY, REDIS, "address", "the same for KEDA", "host:port", stored=False),
    SecretKey(names.DIFY, REDIS, "password", "AUTH of Memorystore", "from the instance, a UUID"),
    SecretKey(names.DIFY, REDIS, "ca.crt", "CAs of Memorystore", "PEM, every CA that the instance lists", stored=False),
    SecretKey(
        names.DIFY,
        REDIS,
        "broker-url",
        "Celery's broker, through the tunnel",
        "redis://:PASSWORD@127.0.0.1:6379/1",
    ),
    SecretKey(
        names.DIFY,
        SANDBOX,
        "api-key",
        "sandbox, as its clients know it",
        "32 characters; the same value twice",
    ),
    SecretKey(
        names.SANDBOX,
        SANDBOX,
        "api-key",
        "sandbox, as it knows itself",
        "32 characters; the same value twice",
    ),
    SecretKey(names.DIFY, PLUGIN, "server-key", "Dify calls the plugin daemon", "64 letters and digits"),
    SecretKey(names.DIFY, PLUGIN, "inner-api-key", "the plugin daemon calls Dify", "64 letters and digits"),
    SecretKey(names.DIFY, WEAVIATE, "api-key", "Weaviate's only user", "32 characters without comma"),
    SecretKey(names.DIFY, SMTP, "password", "mail server", "as the server wants it", optional=True),
)

# What Secret Manager holds, once each. That of the mail server has the name that the input gives it.
STORED: Final = tuple({entry.store_name: entry for entry in INVENTORY if entry.stored and not entry.optional}.values())

_REFERABLE: Final = {(entry.secret, entry.key): entry for entry in INVENTORY}

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
