"""Redis: one instance, two databases."""

from __future__ import annotations

CACHE_DATABASE = 0  # Dify's and the plugin daemon's own keys
BROKER_DATABASE = 1  # Celery: each queue is a list of its own name
