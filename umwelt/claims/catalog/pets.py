"""What planning through an ensemble reaches, and how soon."""

from pathlib import Path

import jax
import numpy as np

from umwelt.claims.arms import Lived, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.curves import curve
from umwelt.evaluation.proctor import Proctor
from umwelt.life.api import life_of
from umwelt.life.engine import Engine
from umwelt.life.exams.examine import PROBE_KEY, panel_of, repeated
from umwelt.life.folder.folder import Folder
from umwelt.life.saves.saver import Saver
from umwelt.networks.inside import with_batch
from umwelt.recipes.pets import pets
from umwelt.recipes.variation import varied
from umwelt.worlds import CartpoleSwingup
from umwelt.worlds.adapters import gymnasium


def upright(folder: Path, seed: int) -> float:
    """Return the mean cosine of the pole's angle over decisions 100 to 200 of ten probe episodes."""
    life = life_of(Folder.read(folder))
    mind = Saver(Folder.read(folder).checkpoints, Engine(life)).load_minds()[seed - life.seed]
    proctor = Proctor(life.agent, lambda rows: with_batch(life.world, rows))
    film = proctor.film(jax.random.key(PROBE_KEY), mind.agent, repeated(panel_of(life), 10), warm=99, ticks=100)
    return float(np.asarray(film.observation)[..., 2].mean())


UPRIGHT = Measure(name="upright", unit="cosine", better="up", read=upright)

pendulum = Claim(
    name="pets_pendulum",
    says="after 1,000 decisions on Pendulum-v1 the return is {gain:.0f} [{low:.0f}, {high:.0f}] above -250 (solved)",
    recipe="pets",
    cites=("pets_2018",),
    arms={"planning": curve(pets(gymnasium("Pendulum-v1")), 1000)},
    expects=(Expect(measure="final_return", arm="planning", over=-250.0),),
    seeds=(1, 2, 3),
    tuned=(0,),
    tries=3,
    minutes=3,
    tried="settings of the recipe were chosen on seed 0 of the built-in pendulum, in three tries",
)

swingup = Claim(
    name="pets_swingup",
    says="after 4,000 decisions of the swing-up of a pole its mean cosine is {gain:.3f} [{low:.3f}, {high:.3f}] above 0.9",
    recipe="pets",
    cites=("pets_2018",),
    arms={
        "planning": Lived(
            life=varied(
                pets(CartpoleSwingup()),
                {
                    "agent.planner.horizon": 30,
                    "agent.planner.samples": 150,
                    "agent.planner.elites": 15,
                    "rhythm.probe_episodes": 10,
                },
            ),
            steps=4000,
            measures=(UPRIGHT,),
        )
    },
    expects=(Expect(measure="upright", arm="planning", over=0.9),),
    seeds=(4, 5, 6, 7, 8),
    tuned=(0, 1, 2, 3),
    minutes=20,
    tries=2,
    tried="horizons of 20 and 30, on seeds 0 to 3 of this world; caution in probes was chosen on its seed 3",
)
