"""The student of alp_gmm under a teacher that cuts the space of tasks into boxes."""

from umwelt.recipes.alp_gmm import alp_gmm
from umwelt.recipes.variation import vary
from umwelt.teachers import Regions

riac = vary(
    alp_gmm,
    {"teacher": Regions()},
    name="riac",
    summary="alp_gmm with a tree of boxes, each cut where progress differs most",
    cites=("riac_2009",),
)
