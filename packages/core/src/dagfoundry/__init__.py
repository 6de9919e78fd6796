"""Keeps a data platform's pipelines as rows in a database and plans every change to them."""
