"""Writes a GitOps repository that runs Dify on Google Cloud from one small file per environment."""
