"""Offline values of a reward that is fitted to a judge's answers about pairs of moments."""

from umwelt.behaviours import Judged, Preferred
from umwelt.behaviours.preferred import Compares
from umwelt.recipes.iql import iql
from umwelt.recipes.variation import around, vary

vlm_feedback = vary(
    iql,
    {"agent.learner": around(lambda learner: Judged(learner=learner, judge=Preferred(ask=Compares())))},
    name="vlm_feedback",
    summary="values of a reward that is fitted to which of two moments a judge prefers; give your own judge as `ask`",
    cites=("vlm_feedback_2024",),
    budget="8,000 lessons of shown experience",
)
