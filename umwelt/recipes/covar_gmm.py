"""The student of alp_gmm under a teacher that draws tasks by the covariance of time and return."""

from umwelt.recipes.alp_gmm import alp_gmm
from umwelt.recipes.variation import vary

covar_gmm = vary(
    alp_gmm,
    {"teacher.progress": "covariance"},
    name="covar_gmm",
    summary="alp_gmm with progress as the covariance of time and return in each component",
    cites=("covar_gmm_2014",),
)
