"""What chooses the next task."""

from umwelt.teachers.blocks import Blocks
from umwelt.teachers.drift import Drift

__all__ = ["Blocks", "Drift"]
