"""Migrations of the store's tables; :mod:`dagfoundry.store.upgrade` runs them."""
