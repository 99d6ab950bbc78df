"""Writes the GitOps repository: see README.md."""

import sys

from dify_gitops.cli import main

if __name__ == "__main__":
    sys.exit(main())
