"""Routing policies fitted and compared on recorded tables: no network is run."""
