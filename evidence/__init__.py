"""Slow evidence: learning curves, tables and endurance, each with its command; `make evidence` runs all."""
