"""What the schemas of Config Connector's kinds do not say: allowed values, ranges, formats, what excludes what.

Their CRDs take almost any text. These facts stand in the Terraform provider and the controllers that Config Connector
1.155 embeds, and in Google's API references; here they stand once. One module for each API group.
"""

from __future__ import annotations

from dify_gitops.kinds.constraints import (
    alerting,
    armor,
    compute,
    container,
    dashboards,
    dns,
    firewall,
    gkebackup,
    iam,
    kms,
    logging,
    monitoring,
    redis,
    secretmanager,
    servicenetworking,
    serviceusage,
    sql,
    storage,
)

_MODULES = (
    alerting,
    armor,
    compute,
    container,
    dashboards,
    dns,
    firewall,
    gkebackup,
    iam,
    kms,
    logging,
    monitoring,
    redis,
    secretmanager,
    servicenetworking,
    serviceusage,
    sql,
    storage,
)
KINDS = {(kind.group, kind.kind): kind for module in _MODULES for kind in module.KINDS}
