"""What judges and guards a pull request: who reviews it (CODEOWNERS) and which ones open by themselves (Renovate)."""
