"""PostgreSQL: databases, users, and how many connections each process may open.

SQLAlchemy opens ``size`` connections and up to ``overflow`` more per process; the plugin daemon's pool has
one limit.
"""

from __future__ import annotations

import msgspec


class Pool(msgspec.Struct, frozen=True):
    """Connections of one process."""

    size: int
    overflow: int

    @property
    def total(self) -> int:
        """Connections at most."""
        return self.size + self.overflow


class Database(msgspec.Struct, frozen=True):
    """A database and the user that owns it."""

    name: str
    user: str


DIFY = Database("dify", "dify")
PLUGIN = Database("dify_plugin", "dify_plugin")

API = Pool(10, 5)
BEAT = Pool(2, 2)
MIGRATION = Pool(2, 3)
PLUGIN_DAEMON = 20
RESERVE = 10  # the server's own, and a person with psql


def worker(concurrency: int) -> Pool:
    """A worker's tasks each hold a connection; as many again for what they start in threads."""
    return Pool(concurrency, concurrency)
