"""What chooses the next task."""

from umwelt.teachers.blocks import Blocks
from umwelt.teachers.designed import Designed
from umwelt.teachers.drift import Drift
from umwelt.teachers.elders import Elders
from umwelt.teachers.experimenter import Experimenter
from umwelt.teachers.filtered import Filtered
from umwelt.teachers.halfway import Halfway
from umwelt.teachers.keeping import Keeping
from umwelt.teachers.mixture import Mixture
from umwelt.teachers.regions import Regions
from umwelt.teachers.retreat import Retreat
from umwelt.teachers.returning import Returning
from umwelt.teachers.sampled import Sampled
from umwelt.teachers.stein import Stein
from umwelt.teachers.uniform import Uniform
from umwelt.teachers.weaning import Weaning

__all__ = [
    "Blocks",
    "Designed",
    "Drift",
    "Elders",
    "Experimenter",
    "Filtered",
    "Halfway",
    "Keeping",
    "Mixture",
    "Regions",
    "Retreat",
    "Returning",
    "Sampled",
    "Stein",
    "Uniform",
    "Weaning",
]
