"""Our own rules over what `kustomize build config-connector/<env>` renders."""

from __future__ import annotations

from dify_gitops.rules import objects, protection, secrecy, validity
from dify_gitops.rules.google import (
    iam,
    kept,
    limits,
    locks,
    project,
    ranges,
    references,
    secrets,
    standards,
    twice,
    waves,
)

# In one list with those of the workloads: dify_gitops/rules/__init__.py. Each of these holds a hundred facts, so that
# a waiver has to name the field.
LIMIT_RULES = (
    limits.google_value,
    limits.google_range,
    limits.google_format,
    limits.google_name,
    limits.google_exclusive,
    limits.google_together,
    limits.google_required,
    limits.google_unique,
    limits.google_refused,
    limits.google_sense,
)
GOOGLE_RULES = (
    *LIMIT_RULES,
    locks.google_locked,
    locks.google_deletion_protection,
    locks.google_replaced,
    project.google_project,
    project.google_region,
    project.google_annotation,
    project.google_disk_grows,
    project.google_label,
    references.google_reference,
    references.google_replica,
    references.google_secret_exists,
    secrets.google_secret_value,
    secrets.google_secret_once,
    references.google_range_name,
    references.google_node_tag,
    references.google_own_account,
    references.google_dns_name,
    references.google_domain,
    twice.google_twice,
    iam.google_iam_once,
    iam.google_iam_role,
    iam.google_iam_role_name,
    iam.google_iam_member,
    iam.google_iam_public,
    iam.google_iam_narrow,
    iam.google_iam_additive,
    iam.google_no_keys,
    iam.google_workload_identity,
    iam.google_node_account,
    ranges.google_ranges_apart,
    ranges.google_ranges_input,
    ranges.google_address_inside,
    ranges.google_firewall_sources,
    ranges.google_room_for_pods,
    standards.google_availability,
    standards.google_database_connections,
    standards.google_backups,
    standards.google_nodes,
    standards.google_default_rule,
    waves.google_wave_order,
)
# Of the rules over workloads, those that mean any object.
COMMON_RULES = (
    objects.object_unique,
    objects.namespace_own,
    validity.names_valid,
    protection.data_kept,
    protection.data_replaced,
    protection.argocd_annotation,
    secrecy.no_secret_data,
)
# What the input gives against what is rendered.
KEPT_RULES = (kept.google_object_kept, kept.google_field_kept)
