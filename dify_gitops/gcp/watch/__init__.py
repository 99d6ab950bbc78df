"""What is watched: signals that the dashboard draws, the alerts on them, and the runbooks that their mails carry."""
