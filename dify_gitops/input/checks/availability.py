"""High availability is all or nothing: one single-zone part takes the whole of Dify down with its zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dify_gitops.input.checks import Complaint

if TYPE_CHECKING:
    from dify_gitops.input.checks import Complaints
    from dify_gitops.input.model import Environment
    from dify_gitops.input.nodes import Path

_AT_LEAST: Final = 2
_ASKED: Final = (("highAvailability",), ("profile",))


def production(environment: Environment) -> Complaints:
    """Profile prod promises high availability."""
    if environment.profile == "prod" and not environment.high_availability:
        hint = "remove the key, or use profile: dev"
        yield Complaint(("highAvailability",), "profile prod needs high availability", hint, also=_ASKED)


def everywhere(environment: Environment) -> Complaints:
    """Where high availability is asked for, every part that can be doubled is."""
    asked = environment.high_availability
    if not asked and environment.profile != "prod":
        return
    why = "highAvailability is true" if asked else "profile is prod"
    if environment.database.availability == "ZONAL":
        hint = _hint("REGIONAL", environment)
        yield Complaint(("database", "availability"), f"ZONAL, but {why}", hint, also=_ASKED)
    if environment.redis.tier == "BASIC":
        hint = _hint("STANDARD_HA", environment)
        yield Complaint(("redis", "tier"), f"BASIC keeps no replica, but {why}", hint, also=_ASKED)
    replicas: list[tuple[Path, int]] = [
        (("web", "min"), environment.web.min),
        (("api", "min"), environment.api.min),
        (("sandbox", "replicas"), environment.sandbox.replicas),
        (("pluginGateway", "replicas"), environment.plugin_gateway.replicas),
        (("ssrfProxy", "replicas"), environment.ssrf_proxy.replicas),
    ]
    for path, number in replicas:
        if number < _AT_LEAST:
            hint = _hint(f"at least {_AT_LEAST}", environment)
            yield Complaint(path, f"{number} replica, but {why}", hint, also=_ASKED)


def _hint(value: str, environment: Environment) -> str:
    return value if environment.profile == "prod" else f"{value}, or highAvailability: false"
