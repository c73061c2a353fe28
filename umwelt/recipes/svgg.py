"""The student of alp_gmm, whose goals are particles that seek intermediate difficulty."""

from umwelt.recipes.alp_gmm import alp_gmm
from umwelt.recipes.variation import vary
from umwelt.teachers import Stein

svgg = vary(
    alp_gmm,
    {"teacher": Stein()},
    name="svgg",
    summary="soft actor-critic under goals that Stein variational descent draws to intermediate difficulty",
    cites=("svgg_2023", "stein_2016"),
)
