"""Facts about Dify as data: releases, services, variables, queues, secrets. Nothing here depends on the input."""
