"""migration: brings the main database to the schema of this Dify version, before any new pod starts."""

from __future__ import annotations

from dify_gitops import names
from dify_gitops.catalogue import secrets, variables
from dify_gitops.components import Component, ConfigMap, dify
from dify_gitops.emit import Flow, Note
from dify_gitops.env_file import env_file
from dify_gitops.input.model import Api
from dify_gitops.k8s import network, pods
from dify_gitops.k8s.objects import manifest


def component() -> Component:
    """Folder ``base/migration``."""
    main = dify.container(
        "migration",
        size=pods.resources(Api()),
        config=("migration",),
        env=pods.secret_env(secrets.DATABASE_PASSWORD),
        args=Note(Flow(["db", "upgrade"]), "a reduced application without Redis and files, and a true exit code"),
    )
    template = dify.pod(
        "migration",
        main,
        grace=120,
        redis=False,
        replicated=False,
        restartPolicy=Note("Never", "no probes: it runs to its end"),
    )
    job = manifest(
        "A hook: made anew by every sync, in the wave before the new pods. A plain Job could not change its image.",
        ("batch/v1", "Job"),
        "migration",
        workload="migration",
        wave=names.WAVE_MIGRATION,
        annotations={names.HOOK: "Sync", names.HOOK_DELETE_POLICY: "BeforeHookCreation"},
        spec={
            "parallelism": 1,
            "completions": 1,
            "backoffLimit": Note(10, "waits ever longer, half an hour in all: a new database takes its time"),
            "template": template,
        },
    )
    return Component(
        "migration",
        "Migrates the main database once per sync; the plugin daemon migrates its own, which exists already.",
        [network.workload_policy("migration"), job],
        (ConfigMap("migration", {"migration.env": env_file(variables.MIGRATION)}),),
    )
