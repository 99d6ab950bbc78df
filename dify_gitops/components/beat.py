"""beat: puts scheduled tasks into the queues."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import secrets, variables
from dify_gitops.components import Component, ConfigMap, dify
from dify_gitops.emit import Flow, Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Beat
from dify_gitops.k8s import network, pods, workloads

_SCHEDULE = "/tmp/celerybeat-schedule"
# Celery beat writes its schedule file every three minutes at the latest; ten without a write mean that it hangs.
# The library that writes it may add an ending.
_FRESH = f'test -n "$(find {_SCHEDULE}* -mmin -10)"'


def component() -> Component:
    """Folder ``base/beat``."""
    alive = {"exec": {"command": Flow(["sh", "-c", _FRESH])}, "timeoutSeconds": 5}
    main = dify.container(
        "beat",
        size=pods.resources(Beat()),
        config=("beat", "dify-environment"),
        optional_secret=secrets.VARIABLES_SECRET,
        env=pods.secret_env(*secrets.SHARED),
        command=Note(
            Flow(["celery", "-A", "app.celery", "beat", "--loglevel", "$(LOG_LEVEL)", "--schedule", _SCHEDULE]),
            "the image's own command would write the schedule into the read-only root",
        ),
        startup=alive | {"periodSeconds": 5, "failureThreshold": 60},
        liveness=Note(
            alive | {"periodSeconds": 60, "failureThreshold": 3},
            "no readiness probe: nobody sends it requests",
        ),
    )
    template = dify.pod("beat", main, grace=30, replicated=False, priority=names.PRIORITY_SERVING)
    return Component(
        "beat",
        "The clock: sends scheduled tasks to the workers. Exactly one, or every schedule would fire twice.",
        [
            network.workload_policy("beat"),
            workloads.deployment(
                "Recreate: the old clock stops before the new one starts.",
                template,
                workload="beat",
                replicas=1,
                single=True,
            ),
        ],
        (ConfigMap("beat", {"beat.env": env_file(variables.BEAT)}),),
    )
