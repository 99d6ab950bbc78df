"""IAM: service accounts, who may do what, audit logs.

Who may have which role on what is judged by dify_gitops/rules/google/iam.py; here is how it is written:
https://cloud.google.com/iam/docs/principal-identifiers.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints.model import Format, Kind, Length, Name, OneOf, Unique, off

_EMAIL = r"[^@\s:/]+@[^@\s:/]+\.[^@\s:/]+"
_MEMBER = (
    "|".join(
        (
            rf"(user|group|serviceAccount):{_EMAIL}",
            r"serviceAccount:[a-z0-9-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\]",
            r"domain:[^@\s:/]+\.[^@\s:/]+",
            r"principal(Set)?://[a-z]+\.googleapis\.com/\S+",
            r"project(Owner|Editor|Viewer):[a-z0-9-]+",
            r"allUsers|allAuthenticatedUsers",
        )
    ),
    "a member such as user:anna@acme.example, group:…, serviceAccount:…, principal://…",
)
# The schema takes roles without a service.
_PREDEFINED = r"roles/(owner|editor|viewer|browser|[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)+)"
_ROLE = (
    rf"{_PREDEFINED}|(projects|organizations)/[a-z0-9-]+/roles/[A-Za-z0-9_.]+",
    "a role such as roles/storage.objectAdmin, or projects/PROJECT/roles/ROLE",
)
_TITLE = r".{1,100}", "a title of 1 to 100 characters"
_EXPRESSION = r"(?s)\s*\S.*", "an expression"
_BINDING = "spec.bindings[]"

KINDS = (
    Kind(
        "iam",
        "IAMServiceAccount",
        constraints=(
            Name(r"[a-z][-a-z0-9]{4,28}[a-z0-9]", "a name of 6 to 30 lower-case letters, digits and hyphens"),
            *off("spec.disabled"),
            Format("spec.displayName", r".{0,100}", "one line of at most 100 characters"),
            Format("spec.description", r"(?s).{0,256}", "a text of at most 256 characters"),
        ),
    ),
    Kind(
        "iam",
        "IAMPartialPolicy",
        immutable=("spec.resourceRef",),
        constraints=(
            Format(f"{_BINDING}.members[].member", *_MEMBER),
            Format(f"{_BINDING}.role", *_ROLE),
            Format(f"{_BINDING}.condition.title", *_TITLE),
            Format(f"{_BINDING}.condition.expression", *_EXPRESSION),
            Length(f"{_BINDING}.members", 1, 1500),  # https://cloud.google.com/iam/quotas
        ),
    ),
    Kind(
        "iam",
        "IAMPolicyMember",
        immutable=("spec.condition", "spec.member", "spec.memberFrom", "spec.resourceRef", "spec.role"),
        constraints=(
            Format("spec.member", *_MEMBER),
            Format("spec.role", *_ROLE),
            Format("spec.condition.title", *_TITLE),
            Format("spec.condition.expression", *_EXPRESSION),
        ),
    ),
    Kind(
        "iam",
        "IAMAuditConfig",
        immutable=("spec.resourceRef", "spec.service"),
        constraints=(
            OneOf("spec.resourceRef.kind", ("Project", "Folder", "Organization")),
            Format(
                "spec.service", r"allServices|([a-z0-9-]+\.)+googleapis\.com", "allServices, or SERVICE.googleapis.com"
            ),
            Format("spec.auditLogConfigs[].exemptedMembers[]", *_MEMBER),
            Unique("spec.auditLogConfigs[].logType"),
            Length("spec.auditLogConfigs", 1, 3),
        ),
    ),
)
