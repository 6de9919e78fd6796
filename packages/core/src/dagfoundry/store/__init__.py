"""The store: rows, revisions and versions in a database."""
