"""What a network that practised on best actions does in new tasks: it pulls levers, against rules that know them."""

from umwelt.behaviours import InContext
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.levers import GAP, REGRET, Learned, Ruled
from umwelt.recipes.variation import varied
from umwelt.worlds.levers import Arms

LEVERS = Arms(time_limit=30)
NAMING = Computed(function=Learned(agent=InContext(world=LEVERS, horizon=30)), measures=(REGRET, GAP), together=True)
THOMPSON = Computed(function=Ruled(world=LEVERS), measures=(REGRET, GAP), together=True)
contexts = Claim(
    name="dpt",
    says="over 30 pulls of five levers a network that practised has {gain:.2f} [{low:.2f}, {high:.2f}] times the"
    " regret of posterior sampling, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times that of one which imitates what it saw;"
    " after pulls by chance the lever that it names pays {gain_3:.3f} [{low_3:.3f}, {high_3:.3f}] more than that which paid best",
    recipe="dpt",
    arms={
        "in context": NAMING,
        "imitation": varied(NAMING, {"function.agent.aim": "shown"}),
        "thompson": THOMPSON,
        "ucb": varied(THOMPSON, {"function.rule": "ucb"}),
    },
    expects=(
        Expect(measure="regret", arm="in context", over="thompson", by=1.3, ratio=True),
        Expect(measure="regret", arm="in context", over="imitation", by=0.5, ratio=True),
        Expect(measure="gap", arm="in context", over="thompson", by=0.0),
        Expect(measure="regret", arm="in context", over="ucb", by=1.3, ratio=True),
    ),
    cites=("dpt_2023",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=10,
    tried="one setting",
    not_shown="dark rooms, pictures, and contexts of 500 pulls; 2,000 lessons of 64 tasks stand in for 100,000 tasks",
)
