"""Rules over shutdown: what runs may end by itself before the pod goes, however long it is allowed to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dify_gitops.catalogue.variables import LONGEST_RUN
from dify_gitops.rules.access import integer
from dify_gitops.rules.dify import api_processes
from dify_gitops.rules.environment import value, words
from dify_gitops.rules.pods import DEFAULT_GRACE, sleep
from dify_gitops.rules.rule import Flaw, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dify_gitops.rules.cluster import Cluster
    from dify_gitops.rules.dify import Process

_GRACEFUL = re.compile(r"--graceful-timeout[ =](\d+)")
_GUNICORN_DEFAULT = 30  # seconds: https://docs.gunicorn.org/en/stable/settings.html#graceful-timeout


@rule(
    "run-finished",
    why="a deployment would cut running workflows and streamed answers in the middle",
    remedy=f"give workers WORKFLOW_MAX_EXECUTION_TIME, the api gunicorn's time and its sleep; {LONGEST_RUN} s at least",
)
def run_finished(cluster: Cluster) -> Iterator[Flaw]:
    """Grace periods of workers and api are as long as a run may take; gunicorn waits as long, too."""
    for process in api_processes(cluster):
        pod = process.pod
        if process.mode not in ("api", "worker") or pod.runs_to_completion:
            continue
        needed, reason = _needed(cluster, process)
        if process.mode == "api" and needed < LONGEST_RUN:
            field = f"{process.container.path}.env[GUNICORN_CMD_ARGS]"
            yield Flaw(pod.owner, field, f"--graceful-timeout {needed} is less than a run may take, {LONGEST_RUN} s")
        grace = integer(pod.spec, "terminationGracePeriodSeconds")
        grace = DEFAULT_GRACE if grace is None else grace
        wanted = max(needed, LONGEST_RUN) + sleep(process.container)
        if grace < wanted:
            message = f"{grace} s are less than {wanted} s: {reason} and preStop"
            yield Flaw(pod.owner, pod.field("spec.terminationGracePeriodSeconds"), message)


def _needed(cluster: Cluster, process: Process) -> tuple[int, str]:
    """Seconds that a process may need to end, and what says so."""
    if process.mode == "api":
        told = [value(cluster, process.pod, process.container, "GUNICORN_CMD_ARGS"), *words(process.container)]
        found = _GRACEFUL.search(" ".join(told))
        return int(found[1]) if found else _GUNICORN_DEFAULT, "--graceful-timeout"
    longest = value(cluster, process.pod, process.container, "WORKFLOW_MAX_EXECUTION_TIME")
    return int(longest) if longest.isdecimal() else LONGEST_RUN, "WORKFLOW_MAX_EXECUTION_TIME"
