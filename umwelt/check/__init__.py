"""The public checkers: `umwelt.check.<role>(instance)` says whether a part keeps its contract."""

from umwelt.check.model import model
from umwelt.check.world import world
