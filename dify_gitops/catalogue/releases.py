"""Dify releases: what depends on the version, keyed by it. A new release is one more entry.

Source: langgenius/dify, docker/docker-compose.yaml, api/docker/entrypoint.sh and api/configs at each version bump.
"""

from __future__ import annotations

import msgspec

DEFAULT = "1.11.4"


class Variable(msgspec.Struct, frozen=True):
    """One environment variable. ``tunable`` ones may be overridden by the input; the others are ours."""

    name: str
    value: str
    why: str = ""
    tunable: bool = False


class Release(msgspec.Struct, frozen=True):
    """One Dify version with the images it was published with.

    ``queues`` is everything that a self-hosted worker must consume, ``interactive`` those of them for which a
    person or a trigger waits. ``dify``, ``web`` and
    ``plugin_daemon_variables`` are variables that exist only in some versions.
    """

    version: str
    sandbox: str
    plugin_daemon: str
    weaviate: str
    queues: tuple[str, ...]
    interactive: tuple[str, ...]
    dify: tuple[Variable, ...] = ()
    web: tuple[Variable, ...] = ()
    plugin_daemon_variables: tuple[Variable, ...] = ()


# The 16 queues of the image's own list, and trigger_refresh_publisher, which that list forgets before 1.14.0:
# beat fills it every minute (langgenius/dify#35280).
_QUEUES_1_11 = (
    "app_deletion",
    "conversation",
    "dataset",
    "mail",
    "ops_trace",
    "pipeline",
    "plugin",
    "priority_dataset",
    "priority_pipeline",
    "retention",
    "schedule_executor",
    "schedule_poller",
    "trigger_refresh_executor",
    "trigger_refresh_publisher",
    "triggered_workflow_dispatcher",
    "workflow",
    "workflow_storage",
)

_INTERACTIVE_1_11 = (
    "mail",
    "schedule_executor",
    "schedule_poller",
    "trigger_refresh_executor",
    "trigger_refresh_publisher",
    "triggered_workflow_dispatcher",
    "workflow",
)

# beat sends a message to these every minute: the pool that takes them is never empty.
POLLED_QUEUES = ("schedule_poller", "trigger_refresh_publisher")

_PM2 = (
    Variable("PM2_INSTANCES", "1", "replicas do the scaling"),
    Variable("PM2_HOME", "/tmp/pm2", "the root file system is read-only"),
)

RELEASES: dict[str, Release] = {
    release.version: release
    for release in (
        Release(
            version="1.11.4",
            sandbox="0.2.12",
            plugin_daemon="0.5.2-local",
            weaviate="1.27.0",
            queues=_QUEUES_1_11,
            interactive=_INTERACTIVE_1_11,
            web=_PM2,
        ),
        Release(
            version="1.12.1",
            sandbox="0.2.12",
            plugin_daemon="0.5.3-local",
            weaviate="1.27.0",
            queues=_QUEUES_1_11,
            interactive=_INTERACTIVE_1_11,
            dify=(
                Variable(
                    "ENABLE_TRIAL_APP",
                    "false",
                    "for Dify's cloud: lets visitors try an app without an account",
                ),
                Variable("ENABLE_EXPLORE_BANNER", "false", "for Dify's cloud"),
                Variable("PLUGIN_MODEL_SCHEMA_CACHE_TTL", "3600", "seconds", tunable=True),
                Variable("SANDBOX_EXPIRED_RECORDS_CLEAN_TASK_LOCK_TTL", "90000", "seconds", tunable=True),
            ),
            web=_PM2,
        ),
    )
}


def version_tuple(tag: str) -> tuple[int, ...] | None:
    """``0.5.2-local`` → ``(0, 5, 2)``; None where the tag does not begin with a version."""
    parts = tag.split("-", 1)[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else None


def _at_least(tag: str, version: tuple[int, ...]) -> bool:
    found = version_tuple(tag)
    return found is not None and found >= version


def migrates_by_entrypoint(plugin_daemon_tag: str) -> bool:
    """Whether this plugin daemon's schema is migrated by the image's entrypoint (from 0.5.8 on), not by the daemon."""
    return _at_least(plugin_daemon_tag, (0, 5, 8))


def keyless_plugin_storage(plugin_daemon_tag: str) -> bool:
    """Whether this plugin daemon reaches Cloud Storage with Workload Identity (from 0.5.7 on).

    Older ones want a key file, which we never make: they keep their packages on their volume.
    """
    return _at_least(plugin_daemon_tag, (0, 5, 7))
