"""The public checkers: `umwelt.check.<role>(part)` says whether a part keeps its contract."""

from umwelt.check.agent import agent
from umwelt.check.base import Depth, Fault, Report
from umwelt.check.curiosity import curiosity
from umwelt.check.memory import memory
from umwelt.check.model import model
from umwelt.check.planner import planner
from umwelt.check.source import source
from umwelt.check.teacher import teacher
from umwelt.check.world import world

__all__ = ["Depth", "Fault", "Report", "agent", "curiosity", "memory", "model", "planner", "source", "teacher", "world"]
