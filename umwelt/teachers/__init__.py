"""Who chooses the next task."""

from umwelt.teachers.blocks import Blocks

__all__ = ["Blocks"]
