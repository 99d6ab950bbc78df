"""What a profile changes, as the user could have written it. Profile prod is the model's own defaults."""

from typing import Any

_POOLS = {
    "interactive": {"min": 1, "max": 6},
    "batch": {"min": 1, "max": 4, "queues": ["rest"]},
}

# Trial size: one replica where losing it for a minute is safe, smaller volumes, nothing twice.
_DEV: dict[str, Any] = {
    "highAvailability": False,
    "nodes": {"max": 4},
    "database": {
        "tier": "db-custom-1-3840",
        "availability": "ZONAL",
        "maxConnections": 100,
        "disk": 20,
        "diskLimit": 100,
        "backups": 7,
    },
    "redis": {"tier": "BASIC"},
    "web": {"min": 1, "max": 2},
    "api": {"min": 1, "max": 2},
    "worker": {
        "pools": {
            "interactive": {"min": 1, "max": 2},
            "batch": {"min": 1, "max": 1, "queues": ["rest"]},
        },
    },
    "sandbox": {"replicas": 1},
    "pluginDaemon": {"volume": "10Gi"},
    "pluginGateway": {"replicas": 1},
    "ssrfProxy": {"replicas": 1},
    "weaviate": {"volume": "20Gi", "backup": {"keep": 3}},
}

# Nothing changes while the daily backup of the database runs, at database.backupTime's default.
_WINDOWS = [{"kind": "deny", "schedule": "0 3 * * *", "duration": "1h"}]

PROFILES: dict[str, dict[str, Any]] = {
    "prod": {"worker": {"pools": _POOLS}, "argocd": {"syncWindows": _WINDOWS}},
    "dev": _DEV,
}
