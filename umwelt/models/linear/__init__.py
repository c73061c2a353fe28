"""Linear world models: an encoder, its sufficient statistics, and solvers that go from one to the weights."""

from umwelt.models.linear.encoder import Encoder
from umwelt.models.linear.solvers import Block, Exact
from umwelt.models.linear.sums import Statistics

__all__ = ["Block", "Encoder", "Exact", "Statistics"]
