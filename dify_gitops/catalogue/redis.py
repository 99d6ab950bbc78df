"""Redis: one instance, two databases."""

from __future__ import annotations

from dify_gitops.catalogue import ports

CACHE_DATABASE = 0  # Dify's and the plugin daemon's own keys
BROKER_DATABASE = 1  # Celery: each queue is a list of its own name


def broker_url(password: str) -> str:
    """Celery's broker, through the tunnel beside the container; ``password`` is percent-encoded, or stands for it."""
    return f"redis://:{password}@127.0.0.1:{ports.REDIS_TUNNEL}/{BROKER_DATABASE}"
