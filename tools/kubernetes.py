"""The workers' manifests, out of the queues there are: `python -m tools.kubernetes` writes
`deploy/kubernetes/workers.yaml` anew.
"""

from pathlib import Path

from bmn.jobs.queue import Queue
from bmn.work.registry import QUEUES

TARGET = Path(__file__).parents[1] / "deploy" / "kubernetes" / "workers.yaml"

_HEAD = """\
# Written by `python -m tools.kubernetes`. A worker listens on no port, so nothing can probe it: its supervisor starts
# what dies anew, and a pod whose supervisor has ended is started by the cluster.
"""
_WORKER = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: bmn-{queue}
  labels: {{app.kubernetes.io/name: bmn, app.kubernetes.io/component: {queue}}}
spec:
  # No `replicas`: KEDA says how many.
  selector:
    matchLabels: {{app.kubernetes.io/name: bmn, app.kubernetes.io/component: {queue}}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: bmn, app.kubernetes.io/component: {queue}}}
    spec:
      automountServiceAccountToken: false
      # Running jobs may finish: longer than BMN_GRACE_SECONDS.
      terminationGracePeriodSeconds: 130
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        fsGroup: 10001
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: worker
          image: bmn
          args: [worker, {queue}]
          envFrom:
            - configMapRef: {{name: bmn}}
            - secretRef: {{name: bmn}}
          resources:
            requests: {{cpu: 100m, memory: 256Mi}}
            limits: {{memory: 1280Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: home, mountPath: /var/lib/bmn}}
            - {{name: tmp, mountPath: /tmp}}
      volumes:
        - {{name: home, emptyDir: {{}}}}
        - {{name: tmp, emptyDir: {{}}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: bmn-{queue}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{app.kubernetes.io/name: bmn, app.kubernetes.io/component: {queue}}}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: bmn-{queue}
spec:
  scaleTargetRef: {{name: bmn-{queue}}}
  minReplicaCount: 1
  maxReplicaCount: {most}
  cooldownPeriod: 300
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus-operated.monitoring.svc:9090
        query: max(bmn_queue_oldest_wait_seconds{{queue="{queue}"}})
        threshold: "30"
"""
_MOST_JOBS = 80  # of one queue at the same time, whatever its pods take each


def workers() -> str:
    """A deployment, its budget and its scaler for each queue."""
    return _HEAD + "---\n".join(_of(name, queue) for name, queue in QUEUES.items())


def _of(name: str, queue: Queue) -> str:
    return _WORKER.format(queue=name, most=1 if name == "cleanup" else max(2, _MOST_JOBS // queue.slots // 2))


if __name__ == "__main__":
    TARGET.write_text(workers())
