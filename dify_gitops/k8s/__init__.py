"""Builders of Kubernetes objects: small functions that return plain dicts in the order people read them."""
