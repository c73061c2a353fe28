"""What diverse tasks are good for: random actions find a far goal without a bonus."""

from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.corridor import EPISODES, FOUND, Corridor
from umwelt.recipes.variation import varied

DIVERSE = Computed(function=Corridor(), measures=(FOUND, EPISODES), together=True)

finds = Claim(
    name="myopic_exploration",
    says="with every cell of a corridor as a task, the far end is found by {gain:.2f} [{low:.2f}, {high:.2f}] more than 0.8 of"
    " all seeds, and by {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than with the far end as the only task",
    arms={"diverse": DIVERSE, "one": varied(DIVERSE, {"function.diverse": False})},
    expects=(
        Expect(measure="found", arm="diverse", over=0.8),
        Expect(measure="found", arm="diverse", over="one", by=0.7),
    ),
    cites=("myopic_exploration_2024",),
    seeds=tuple(range(20)),
    minutes=0.3,
    tries=2,
    tried="1,000 episodes, in which four of eight seeds find it (seeds 100 to 107), and 2,000",
    not_shown="learned models and function approximation; a corridor of 14 steps and tables stand in. All tasks learn from all"
    " episodes, as in the paper",
    tuned=tuple(range(100, 108)),
)
