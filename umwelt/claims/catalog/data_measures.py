"""Which of two measures of a data set says what cloning makes of it, and which what a learner of values does."""

from umwelt.behaviours import DQN, Cloning
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.measured_sets import BEYOND, ON_GOOD, WITH_COVERAGE, WITH_QUALITY, MeasuredSets
from umwelt.recipes.variation import varied

VALUES = DQN(units=64, learning_rate=1e-3, discount=0.95)
MEASURES = (WITH_COVERAGE, WITH_QUALITY, ON_GOOD, BEYOND)
LEARNED = Computed(function=MeasuredSets(learner=VALUES), measures=MEASURES)

told = Claim(
    name="data_measures",
    says="over 25 data sets the return of deep Q-learning correlates with their coverage by {gain:.2f} [{low:.2f}, {high:.2f}]"
    " more than 0.6, and that of cloning with their quality by {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than 0.8; on sets of"
    " a quality above 0.9 cloning is {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] above deep Q-learning, and {gain_4:.2f}"
    " [{low_4:.2f}, {high_4:.2f}] above its conservative form; beyond what quality says of both, coverage and the return of deep"
    " Q-learning correlate by {gain_5:.2f} [{low_5:.2f}, {high_5:.2f}]",
    arms={
        "values": LEARNED,
        "cloning": varied(LEARNED, {"function.learner": Cloning(units=64), "function.mode": "explore", "function.draws": 200}),
        "conservative": varied(LEARNED, {"function.learner.conservative": 1.0}),
    },
    expects=(
        Expect(measure="with_coverage", arm="values", over=0.6),
        Expect(measure="with_quality", arm="cloning", over=0.8),
        Expect(measure="on_good", arm="cloning", over="values", by=-0.05),
        Expect(measure="on_good", arm="cloning", over="conservative", by=-0.05),
        Expect(measure="beyond_quality", arm="values", over=0.0),
    ),
    cites=("data_measures_2022", "double_dqn_2016", "cql_2020"),
    seeds=tuple(range(8)),
    minutes=6,
    tried="one setting of the learners; the map was chosen by the two measures, before anything was learned",
    not_shown="the paper's worlds, which are deterministic, its other learners, such as those whose policy stays near the data,"
    " and approximate counts. The replay is that of a tabular learner. A clone draws its actions here, as its data did; one that"
    " takes its likeliest action is better than noisy data, and its return correlates less with their quality (0.78 on tuning"
    " seeds)",
)
