"""Planners: they choose actions by imagining."""

from umwelt.planners.cem import CEM
from umwelt.planners.icem import ICEM
from umwelt.planners.informative import Informative
from umwelt.planners.mppi import MPPI
from umwelt.planners.shooting import Shooting

__all__ = ["CEM", "ICEM", "MPPI", "Informative", "Shooting"]
