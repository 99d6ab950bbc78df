"""What stands between this machine and a bootstrap. Everything is only read; each module looks at one thing."""
