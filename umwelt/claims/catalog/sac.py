"""What soft actor-critic reaches, beside the same settings of another library."""

from umwelt.claims.arms import Lived, Recorded
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FINAL_RETURN
from umwelt.recipes.sac import sac
from umwelt.recipes.variation import varied
from umwelt.worlds.adapters import gymnasium

PEER = "python -m umwelt.claims.studies.peers"

pendulum = Claim(
    name="sac_pendulum",
    says="after 6,000 decisions on Pendulum-v1 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above that of Stable-Baselines3,"
    " and {gain_2:.0f} [{low_2:.0f}, {high_2:.0f}] above -250 (solved)",
    recipe="sac",
    cites=("sac_2018",),
    arms={
        "ours": Lived(
            life=varied(sac(gymnasium("Pendulum-v1")), {"rhythm.probe_episodes": 30}),
            steps=6000,
            measures=(FINAL_RETURN,),
        ),
        "Stable-Baselines3": Recorded(
            file="sac_pendulum.csv", command=f"{PEER} Pendulum-v1 --steps 6000 --seeds 2", measures=(FINAL_RETURN,)
        ),
    },
    expects=(
        Expect(measure="final_return", arm="ours", over="Stable-Baselines3", by=-30.0, paired=False),
        Expect(measure="final_return", arm="ours", over=-250.0),
    ),
    seeds=(0, 1, 2),
    minutes=3,
    tried="one setting, which both libraries share",
    not_shown="two seeds of the other library have no interval",
)

cheetah = Claim(
    name="sac_half_cheetah",
    says="after 30,000 decisions of HalfCheetah-v5 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above that of"
    " Stable-Baselines3",
    recipe="sac",
    cites=("sac_2018",),
    arms={
        "ours": Lived(
            life=varied(sac(gymnasium("HalfCheetah-v5")), {"rhythm.probe_episodes": 30}),
            steps=30_000,
            measures=(FINAL_RETURN,),
        ),
        "Stable-Baselines3": Recorded(
            file="sac_half_cheetah.csv", command=f"{PEER} HalfCheetah-v5 --steps 30000 --seeds 12", measures=(FINAL_RETURN,)
        ),
    },
    expects=(Expect(measure="final_return", arm="ours", over="Stable-Baselines3", by=-100.0, paired=False),),
    seeds=tuple(range(12)),
    minutes=60,
    tried="one setting, which both libraries share",
)
