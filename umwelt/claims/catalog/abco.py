"""What a rule of balance is good for, where an agent guesses the actions that it watched."""

from umwelt.behaviours import Labelled
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.watching import PERFORMANCE, Watching
from umwelt.recipes.variation import varied
from umwelt.worlds import Acrobot, MountainCar

BALANCED = Computed(function=Watching(world=MountainCar(), agent=Labelled()), measures=(PERFORMANCE,), together=True)
WORLDS = {"mountain_car": BALANCED, "acrobot": varied(BALANCED, {"function.world": Acrobot()})}
balance = Claim(
    name="abco",
    says="of the expert's return in mountain_car, guesses by the rule of balance are worth {gain:.2f} [{low:.2f}, {high:.2f}]"
    " more than guesses by all that was done, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than by what was done at"
    " random; in acrobot {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] and {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}]",
    recipe="abco",
    arms={
        f"{mix} in {world}": varied(arm, {"function.agent.mix": mix})
        for world, arm in WORLDS.items()
        for mix in ("balanced", "all", "none")
    },
    expects=(
        Expect(measure="performance", arm="balanced in mountain_car", over="all in mountain_car", by=0.15),
        Expect(measure="performance", arm="balanced in mountain_car", over="none in mountain_car", by=0.15),
        Expect(measure="performance", arm="balanced in acrobot", over="all in acrobot", by=-0.05),
        Expect(measure="performance", arm="balanced in acrobot", over="none in acrobot", by=-0.05),
    ),
    cites=("abco_2020",),
    seeds=(0, 1, 2, 3, 4),
    tuned=(100, 101, 102),
    minutes=8,
    tries=2,
    tried="lives of 3,000 and of 1,200 decisions in each row; in both, guesses by all that was done are as good in mountain_car",
    not_shown="mazes of pictures, and self-attention over what is seen. Rows are drawn from whole sets in the shares of the rule,"
    " which gives each class of actions its share as well",
)
