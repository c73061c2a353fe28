"""Which data make which method: six learners of logs on three kinds of data."""

from umwelt.behaviours import IQL, SAC, TD3, Averaged, Cloning, Conservative, Density, Standard
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.offline import NORMALISED, Offline
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

LEARNERS = {
    "cloning": Cloning(units=64),
    "TD3": TD3(units=64, discount=0.97),
    "TD3+BC": TD3(units=64, discount=0.97, clone=0.3),
    "IQL": IQL(units=64, discount=0.97),
    "SPOT": TD3(units=64, discount=0.97, support=Density(units=64)),
    "CQL": SAC(units=64, discount=0.97, soft=False, conservative=Conservative()),
}
DATA = {"mixed": "mixed-0.3", "faint": "faint-0.3", "fainter": "faint-0.1", "expert": "expert"}
WORLD = Pendulum(time_limit=150)


def arm(name: str, data: str) -> Computed:
    """A learner on thirty episodes of a kind; SPOT has 2,000 lessons more, in which its density is learned."""
    learner = Standard(learner=Averaged(learner=LEARNERS[name]))
    study = Offline(data=Played(world=WORLD, how=DATA[data], episodes=30), learner=learner)
    made = Computed(function=study, measures=(NORMALISED,), together=True)
    return varied(made, {"function.updates": 8000}) if name == "SPOT" else made


TRIED = (
    "one setting, taken over from an earlier trial of the same table; returns are those of the last weights, averaged over"
    " the last thousand updates"
)
table = Claim(
    name="offline_table",
    says="values are worth {gain:.2f} [{low:.2f}, {high:.2f}] of the expert's return over cloning where three episodes in ten are"
    " an expert's; staying near to the data is worth {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] to them where all is mediocre;"
    " and cloning is worth {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] over them where all is an expert's",
    arms={f"{name} on {data}": arm(name, data) for data in ("mixed", "faint", "expert") for name in LEARNERS},
    expects=(
        Expect(measure="normalised", arm="IQL on mixed", over="cloning on mixed", by=0.3),
        Expect(measure="normalised", arm="TD3+BC on faint", over="TD3 on faint", by=0.5),
        Expect(measure="normalised", arm="cloning on expert", over="TD3 on expert", by=0.5),
    ),
    cites=("iql_2022", "td3_2018", "td3_bc_2021", "spot_2022", "cql_2020", "bain_sammut_1995"),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102, 103),
    minutes=25,
    tried=TRIED,
    not_shown="D4RL, and worlds that chance does not cover: on a pendulum, random data hold nearly all moments",
)
supported = Claim(
    name="spot",
    says="on mediocre data a density of them is worth {gain:.2f} [{low:.2f}, {high:.2f}] of the expert's return to an"
    " actor-critic, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] where they are narrower; {gain_3:.2f} [{low_3:.2f},"
    " {high_3:.2f}] more than cloning, and {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] more than TD3+BC",
    recipe="spot",
    arms={f"{name} on {data}": arm(name, data) for data in ("faint", "fainter") for name in ("SPOT", "TD3", "cloning", "TD3+BC")},
    expects=(
        Expect(measure="normalised", arm="SPOT on faint", over="TD3 on faint", by=0.5),
        Expect(measure="normalised", arm="SPOT on fainter", over="TD3 on fainter", by=0.5),
        Expect(measure="normalised", arm="SPOT on faint", over="cloning on faint", by=0.05),
        Expect(measure="normalised", arm="SPOT on faint", over="TD3+BC on faint", by=-0.05),
    ),
    cites=("spot_2022", "td3_bc_2021"),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102, 103),
    minutes=15,
    tried=TRIED,
    not_shown="D4RL scores, and the online phase in which the weight of the density falls",
)
