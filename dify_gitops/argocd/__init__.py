"""One module per file of ``argocd/<env>/generated``: who syncs what, in which order, with which rights."""
