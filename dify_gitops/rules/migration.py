"""Rules over the database migration: it runs once per sync, before the new pods, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dify_gitops import names
from dify_gitops.rules.access import get, text, texts
from dify_gitops.rules.dify import api_processes
from dify_gitops.rules.environment import variables, words
from dify_gitops.rules.rule import Flaw, rule
from dify_gitops.rules.waves import wave

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster, Object
    from dify_gitops.rules.dify import Process

_VARIABLE = "MIGRATION_ENABLED"
_COMMANDS = {"upgrade", "upgrade-db"}  # of `flask db upgrade` and `flask upgrade-db`
# What the Job runs: the entrypoint of the image starts flask in MODE job, or flask is the command.
_UPGRADE = ["db", "upgrade"]


def _migrates(process: Process) -> bool:
    return process.mode == "migration" or bool(_COMMANDS & set(words(process.container)))


@rule(
    "migration-once",
    why="pods of a new version on an old schema fail; two migrations at a time damage the schema",
    remedy="one Job that runs `db upgrade`: Sync hook, BeforeHookCreation, wave before all pods of the image",
)
def migration_once(cluster: Cluster) -> Iterator[Flaw]:
    """Exactly one Job migrates; it is a hook and comes before all other pods of the api's image."""
    processes = list(api_processes(cluster))
    jobs = [p.pod.owner for p in processes if p.pod.owner.kind == "Job" and _migrates(p)]
    others = [p.pod.owner for p in processes if p.pod.owner not in jobs]
    if others and not jobs:
        yield Flaw(others[0], "", "no Job migrates the database for it")
    for extra in jobs[1:]:
        yield Flaw(extra, "", f"migrates the database as {jobs[0]} does")
    for job in jobs[:1]:
        yield from _once(job)
        for process in processes:
            if process.pod.owner is job and not _upgrades(process):
                message = "is not `db upgrade`, which alone fails loudly (upgrade-db swallows errors)"
                yield Flaw(job, f"{process.container.path}.args", message)
        for other in others:
            if wave(other) <= wave(job):
                message = f"{wave(job)} is not before the wave of {other}, {wave(other)}"
                yield Flaw(job, f"metadata.annotations[{names.SYNC_WAVE}]", message)


def _once(job: Object) -> Iterator[Flaw]:
    for key, wanted in ((names.HOOK, "Sync"), (names.HOOK_DELETE_POLICY, "BeforeHookCreation")):
        if job.annotations.get(key) != wanted:
            yield Flaw(job, f"metadata.annotations[{key}]", f"is not {wanted}")
    for key in ("parallelism", "completions"):
        if get(job.data, "spec", key) not in (None, 1):
            yield Flaw(job, f"spec.{key}", "is not 1")


def _upgrades(process: Process) -> bool:
    command, args = (texts(process.container.data, key) for key in ("command", "args"))
    return command + args == ["flask", *_UPGRADE] if command else process.mode == "job" and args == _UPGRADE


@rule(
    "one-dify-version",
    why="api, workers, beat and migration share one schema and one queue format, which change with the version",
    remedy="use the same image for all of them; change the version in environments/<env>.yaml",
)
def one_dify_version(cluster: Cluster) -> Iterator[Flaw]:
    """All containers of the api's image have the same reference, to tag and digest."""
    processes = list(api_processes(cluster))
    api = next((process for process in processes if process.mode == "api"), None)
    wanted = text(api.container.data, "image") if api else ""
    for process in processes:
        image = text(process.container.data, "image")
        if api and image != wanted:
            message = f"{image} is not {wanted} as of {api.pod.owner}"
            yield Flaw(process.pod.owner, f"{process.container.path}.image", message)


@rule(
    "migration-elsewhere",
    why="the image's own migration holds its lock for 60 s only and swallows errors",
    remedy=f'set {_VARIABLE} to "false"',
)
def migration_elsewhere(cluster: Cluster) -> Iterator[Flaw]:
    """Every container of the api's image is told not to migrate at its start."""
    for process in api_processes(cluster):
        found = variables(cluster, process.pod, process.container).get(_VARIABLE)
        if found is None or found.value != "false":
            field = found.field if found else f"{process.container.path}.env[{_VARIABLE}]"
            yield Flaw(process.pod.owner, field, "is not false" if found else "is not set")
