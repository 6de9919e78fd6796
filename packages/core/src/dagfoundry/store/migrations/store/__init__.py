"""Migrations of the tables that serve the whole store."""
