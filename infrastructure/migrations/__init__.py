"""The store's tables, triggers and function, revision by revision; run by `infrastructure.migration`."""
