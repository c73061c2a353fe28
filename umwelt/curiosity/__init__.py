"""What turns transitions into bonuses."""

from umwelt.curiosity.counts import Counts
from umwelt.curiosity.distilled import Distilled

__all__ = ["Counts", "Distilled"]
