"""Migrations of the tables of one foundry and its platforms."""
