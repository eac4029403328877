"""Backups of a whole installation, in a portable format of our own; see docs/reference/backup-format.md."""
