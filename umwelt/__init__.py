"""Umwelt: agents that live."""

__version__ = "0.1.0"
