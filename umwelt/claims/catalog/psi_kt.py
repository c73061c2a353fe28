"""What a graph of skills and traits of pupils are good for, when later answers are predicted."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.traced import HalfLife, Traced
from umwelt.recipes.variation import varied

GRAPH = Computed(
    function=Traced(),
    measures=(
        Measure(name="log_likelihood", unit="nats", better="up"),
        Measure(name="recovered", unit="area under the curve", better="up"),
    ),
    together=True,
)

pupils = Claim(
    name="psi_kt",
    says="sixty answers ahead, a model of pupils with a graph of skills predicts {gain:.3f} [{low:.3f}, {high:.3f}] nats more"
    " than one without, {gain_2:.3f} [{low_2:.3f}, {high_2:.3f}] more than half-life regression, and ranks edges"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] above an area of 0.7",
    arms={
        "graph": GRAPH,
        "no graph": varied(GRAPH, {"function.model.graph": False}),
        "half-life": varied(GRAPH, {"function.model": HalfLife()}),
    },
    expects=(
        Expect(measure="log_likelihood", arm="graph", over="no graph", by=0.02),
        Expect(measure="log_likelihood", arm="graph", over="half-life", by=0.02),
        Expect(measure="recovered", arm="graph", over=0.7),
    ),
    cites=("psi_kt_2024", "half_life_regression_2016"),
    seeds=tuple(range(8)),
    tries=2,
    tried="priors of strength 1, with which the graph fits what is chance in 1,800 answers, and of 10, with which it vanishes",
    minutes=2,
    not_shown="real pupils (ASSISTments, Junyi), and the amortised inference of the paper: the simulated pupils follow the"
    " model's own process",
)
