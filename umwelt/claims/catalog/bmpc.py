"""What a policy that imitates its own plans reaches."""

from umwelt.claims.arms import Lived, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.claims.studies.examined import gap, policy_return
from umwelt.life.composition import Life
from umwelt.recipes.bmpc import bmpc
from umwelt.recipes.tdmpc2 import tdmpc2
from umwelt.worlds import CartpoleSwingup
from umwelt.worlds.adapters import gymnasium

pendulum = Claim(
    name="bmpc_pendulum",
    says="after 6,000 decisions on Pendulum-v1 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="bmpc",
    cites=("bmpc_2025",),
    arms={"planning": curve(bmpc(gymnasium("Pendulum-v1")), 6000, every=1500)},
    expects=(Expect(measure="final_return", arm="planning", over=-250.0),),
    seeds=(0, 1, 2),
    minutes=18,
    tried="settings of the recipe are those of tdmpc2",
    not_shown="the tasks of the paper, where it is compared with tdmpc2",
)


def policies(life: Life) -> Lived:
    """Make an arm whose policy is examined without its planner."""
    alone = Measure(name="policy_return", unit="return", better="up", read=policy_return)
    behind = Measure(name="gap", unit="return", better="down", read=gap)
    return Lived(life=life, steps=8000, measures=(alone, behind))


idea = Claim(
    name="bmpc_idea",
    says="after 8,000 decisions of the swing-up of a pole a policy that imitates its plans reaches {gain:.0f} [{low:.0f},"
    " {high:.0f}] more without them than one that climbs its values, and lies"
    " {gain_2:.0f} [{low_2:.0f}, {high_2:.0f}] less behind its plans",
    recipe="bmpc",
    cites=("bmpc_2025",),
    arms={"imitating": policies(bmpc(CartpoleSwingup())), "climbing": policies(tdmpc2(CartpoleSwingup()))},
    expects=(
        Expect(measure="policy_return", arm="imitating", over="climbing", by=20.0),
        Expect(measure="gap", arm="imitating", over="climbing"),
    ),
    seeds=(0, 1, 2),
    minutes=28,
    tried="settings of the recipe are those of tdmpc2",
    not_shown="a policy that acts by its mean; the published policy imitates the planner's normals, and its values are of states",
)
