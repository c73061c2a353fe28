"""What a code of the task, and a prompt of one's own past, are good for in tasks without a name."""

from umwelt.behaviours import DecisionTransformer, MetaDecision, Prompted, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.unnamed_goals import EXPLAINED, FEW_SHOTS, ZERO_SHOT, UnnamedGoals
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied

SMALL = DecisionTransformer(context=8, width=32, layers=1)
AGENT = Sequenced(
    learner=MetaDecision(inner=SMALL, prompt=4, first=2000),
    memory=Trajectories(bytes=4_000_000, length=8),
    batch=48,
    wanted=-8.0,
)
"""An expert's return is about -8; the best of all goals, which lies nearest, cannot be had from others."""
BOTH = Computed(function=UnnamedGoals(agent=Prompted(inner=AGENT)), measures=(ZERO_SHOT, FEW_SHOTS, EXPLAINED), together=True)
shown = Claim(
    name="meta_dt",
    says="on goals that it has not met and does not see, a decision transformer with a code of the last transitions reaches"
    " {gain:.2f} [{low:.2f}, {high:.2f}] more of the expert's return in its first episode than a plain one; in the fourth, a"
    " prompt of its own is worth {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}], and {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more"
    " than a random piece; the code explains {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] more than 0.8 of where goals are",
    recipe="meta_dt",
    arms={
        "code and prompt": BOTH,
        "code": Computed(
            function=UnnamedGoals(agent=varied(AGENT, {"learner.prompt": 0})),
            measures=(ZERO_SHOT, FEW_SHOTS, EXPLAINED),
            together=True,
        ),
        "random piece": varied(BOTH, {"function.agent.inner.learner.choose": "any"}),
        "plain": Computed(
            function=UnnamedGoals(agent=varied(AGENT, {"learner": SMALL})), measures=(ZERO_SHOT, FEW_SHOTS), together=True
        ),
    },
    expects=(
        Expect(measure="zero_shot", arm="code and prompt", over="plain", by=0.25),
        Expect(measure="few_shots", arm="code and prompt", over="code", by=0.03),
        Expect(measure="few_shots", arm="code and prompt", over="random piece", by=0.0),
        Expect(measure="goal_explained", arm="code and prompt", over=0.8),
    ),
    cites=("meta_dt_2024", "decision_transformer_2021"),
    minutes=10,
    tries=3,
    tried="with goals all around the start the mean of what experts do is to stay, from where nothing is learned of the goal:"
    " all arms stayed at chance on a tuning seed; goals on one edge, and twice the lessons for the code, came after",
    not_shown="Meta-World and robots that run. A point in a plane stands in for them, and stretches of eight steps for twenty",
)
