"""The ground floor: states and parts, steps, spaces, keys, contracts, drivers."""

import jax

from umwelt.core import keys, spaces
from umwelt.core.capability import capability, innermost, is_hosted, layers
from umwelt.core.drive import host_scan, scan
from umwelt.core.metric import DOUBT, SURPRISE, Metric
from umwelt.core.objective import Objective
from umwelt.core.spaces import Box, Discrete
from umwelt.core.spec import WorldSpec
from umwelt.core.step import (
    BROKEN,
    FIRST,
    IMAGINED,
    KINDS,
    LIVED,
    MID,
    ORIGINS,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    WATCHED,
    Experience,
    Feedback,
    Info,
    Moment,
    Prediction,
    TimeStep,
    lived,
    select,
    zeros_step,
)
from umwelt.core.struct import part, static, struct

# Lives run in float32, and sums over a whole life (sufficient statistics, clocks) in float64. This
# lets code that asks for float64 by name have it, and leaves every default at float32.
jax.config.update("jax_explicit_x64_dtypes", "allow")

__all__ = [
    "BROKEN", "DOUBT", "FIRST", "IMAGINED", "KINDS", "LIVED", "MID", "ORIGINS", "SHOWN", "SURPRISE", "TERMINATED",
    "TRUNCATED", "WATCHED", "Box", "Discrete", "Experience", "Feedback", "Info", "Metric", "Moment", "Objective",
    "Prediction", "TimeStep", "WorldSpec", "capability", "host_scan", "innermost", "is_hosted", "keys", "layers",
    "lived", "part", "scan", "select", "spaces", "static", "struct", "zeros_step",
]  # fmt: skip
