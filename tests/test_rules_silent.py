"""No false alarms: unusual but sound input, and what users may well add or remove in custom/."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from repo import PLATFORM, build, environment, generate, make

from dify_gitops.rules import examine

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
DIGEST = f"{{digest: 'sha256:{64 * 'a'}'}}"
INPUT: dict[str, dict[str, str]] = {
    "a mirror and digests": {
        "images": f"{{registry: mirror.acme.example:5000/all, api: {DIGEST}, web: {DIGEST}, sandbox: {DIGEST}, "
        f"weaviate: {DIGEST}, pluginDaemon: {DIGEST}, cloudSqlProxy: {DIGEST}, redisTunnel: {DIGEST}}}"
    },
    "mail": {"smtp": "{server: smtp.acme.example, username: dify, sender: dify@acme.example, passwordSecret: mail}"},
    "a third pool that may sleep": {
        "worker": "{pools: {batch: {queues: [rest]}, night: {min: 0, max: 2, queues: [retention, ops_trace]}}}"
    },
    "another release": {"dify": "1.12.1"},
    "remote debugging": {"pluginDaemon": "{remoteDebugging: true}"},
    "public addresses used privately": {"network": "{privateServices: 8.8.0.0/16}"},
    "plain HTTP only": {"ssrfProxy": "{ports: [80]}"},
    "the trial profile": {"profile": "dev", "highAvailability": "false"},
}

OWN = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: bot, namespace: dify}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bot, namespace: dify, labels: {app.kubernetes.io/name: bot, app.kubernetes.io/part-of: dify}}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/name: bot}}
  template:
    metadata: {labels: {app.kubernetes.io/name: bot, app.kubernetes.io/part-of: dify}}
    spec:
      serviceAccountName: bot
      automountServiceAccountToken: false
      enableServiceLinks: false
      priorityClassName: dify-batch
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: bot
        image: registry.acme.example/bot:1.4
        command: [/bot, --token-file, /run/token, --verbose]
        ports: [{name: http, containerPort: 8000}]
        env: [{name: DIFY, value: "http://api.dify.svc.cluster.local:5001"}, {name: EXTRA_ARGUMENTS, value: ""}]
        startupProbe: {httpGet: {path: /, port: http}}
        readinessProbe: {httpGet: {path: /, port: http}}
        livenessProbe: {httpGet: {path: /, port: 8000}, periodSeconds: 30}
        resources:
          requests: {cpu: 10m, memory: 64Mi, ephemeral-storage: 64Mi}
          limits: {cpu: 100m, memory: 64Mi, ephemeral-storage: 64Mi}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
        volumeMounts: [{name: tmp, mountPath: /tmp}]
      volumes: [{name: tmp, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: bot, namespace: dify, labels: {app.kubernetes.io/name: bot, app.kubernetes.io/part-of: dify}}
spec: {selector: {app.kubernetes.io/name: bot}, ports: [{name: http, port: 80, targetPort: http}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: bot, namespace: dify}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: bot}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app.kubernetes.io/name: web}}}], ports: [{port: http}]}]
  egress: [{to: [{podSelector: {matchLabels: {app.kubernetes.io/name: api}}}], ports: [{port: 5001}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: bot-to-api, namespace: dify}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: api}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app.kubernetes.io/name: bot}}}], ports: [{port: 5001}]}]
"""

WITHOUT_BACKUP = "patches:\n" + "".join(
    f"- patch: '{{$patch: delete, apiVersion: {version}, kind: {kind}, "
    "metadata: {name: weaviate-backup, namespace: dify}}'\n"
    for version, kind in (("batch/v1", "CronJob"), ("networking.k8s.io/v1", "NetworkPolicy"))
)


def findings(root: Path, dify: str = "1.11.4") -> list[str]:
    return [str(finding) for finding in examine(build(root, "overlays/prod"), "prod", "1.35", dify)]


@pytest.mark.parametrize("name", INPUT)
def test_sound_input_gives_no_finding(name: str, tmp_path: Path) -> None:
    keys = {"highAvailability": "true", **INPUT[name]}
    root = make(tmp_path, PLATFORM, prod=environment("prod", **keys))
    assert findings(root, keys.get("dify", "1.11.4")) == []


def test_a_workload_of_ones_own_gives_no_finding(tmp_path: Path) -> None:
    root = make(tmp_path)
    custom = root / "overlays/prod/custom"
    (custom / "kustomization.yaml").write_text(HEAD + "resources: [bot.yaml]\n", encoding="utf-8")
    (custom / "bot.yaml").write_text(OWN, encoding="utf-8")
    assert findings(generate(root)) == []


def test_an_object_removed_with_its_policy_gives_no_finding(tmp_path: Path) -> None:
    root = make(tmp_path)
    (root / "overlays/prod/custom/kustomization.yaml").write_text(HEAD + WITHOUT_BACKUP, encoding="utf-8")
    assert findings(root) == []
