"""Proof on real servers: what the generator writes is accepted by Kubernetes and reconciled by Argo CD."""
