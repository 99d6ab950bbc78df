"""Environment variables that are the same in every environment, by ConfigMap. Secrets are not here: secrets.py.

An empty value is a value for Dify: what shall be unset is left out, unless empty has a meaning (see the reason).
"""

from dify_gitops.catalogue.variables.dify import API, BEAT, CLIENTS, COMMON, MIGRATION, WORKER
from dify_gitops.catalogue.variables.section import LONGEST_RUN, PLUGIN_CALL, Section
from dify_gitops.catalogue.variables.services import PLUGIN_DAEMON, SANDBOX, WEAVIATE, WEB

__all__ = [
    "API",
    "BEAT",
    "CLIENTS",
    "COMMON",
    "LONGEST_RUN",
    "MIGRATION",
    "PLUGIN_CALL",
    "PLUGIN_DAEMON",
    "SANDBOX",
    "WEAVIATE",
    "WEB",
    "WORKER",
    "Section",
]
