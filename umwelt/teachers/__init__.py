"""What chooses the next task."""

from umwelt.teachers.blocks import Blocks
from umwelt.teachers.designed import Designed
from umwelt.teachers.drift import Drift
from umwelt.teachers.keeping import Keeping
from umwelt.teachers.mixture import Mixture
from umwelt.teachers.regions import Regions
from umwelt.teachers.retreat import Retreat
from umwelt.teachers.returning import Returning
from umwelt.teachers.uniform import Uniform

__all__ = ["Blocks", "Designed", "Drift", "Keeping", "Mixture", "Regions", "Retreat", "Returning", "Uniform"]
