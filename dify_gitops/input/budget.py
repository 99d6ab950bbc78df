"""How many connections to PostgreSQL the environment may open at most, against what the server allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dify_gitops.catalogue import database

if TYPE_CHECKING:
    from dify_gitops.input.model import Environment


class Line(msgspec.Struct, frozen=True):
    """One line of the sum: so many processes with so many connections each."""

    name: str
    processes: int
    connections: int

    @property
    def total(self) -> int:
        """Connections of all of them."""
        return self.processes * self.connections

    def __str__(self) -> str:
        if self.processes == 1:
            return f"{self.name} {self.total}"
        return f"{self.name} {self.processes} × {self.connections} = {self.total}"  # noqa: RUF001 - a sum as people write it


class Budget(msgspec.Struct, frozen=True):
    """The sum with its lines, and the limit of the server."""

    lines: tuple[Line, ...]
    limit: int

    @property
    def total(self) -> int:
        """Connections at most, everything at its maximum."""
        return sum(line.total for line in self.lines)

    def __str__(self) -> str:
        return f"{', '.join(str(line) for line in self.lines)}; together {self.total}"


def budget(environment: Environment) -> Budget:
    """Every process at its maximum: api and pools at ``max`` replicas, each with its whole pool and overflow.

    One process per api replica (SERVER_WORKER_AMOUNT 1) and per worker (gevent).
    The migration runs beside them.
    """
    pools = environment.worker.pools
    return Budget(
        lines=(
            Line("api", environment.api.max, database.API.total),
            *(
                Line(f"worker {name}", pool.max, database.worker(pool.concurrency).total)
                for name, pool in pools.items()
            ),
            Line("beat", 1, database.BEAT.total),
            Line("plugin daemon", 1, database.PLUGIN_DAEMON),
            Line("migration", 1, database.MIGRATION.total),
            Line("reserve", 1, database.RESERVE),
        ),
        limit=environment.database.max_connections,
    )
