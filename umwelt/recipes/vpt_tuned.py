"""A clone of what was watched, made better at one thing by its own rollouts, and held near to the clone."""

from umwelt.behaviours import Tuned
from umwelt.life.rhythm import Rhythm
from umwelt.recipes.ppo import ppo
from umwelt.recipes.variation import vary

vpt_tuned = vary(
    ppo,
    {"agent": Tuned(), "rhythm": Rhythm(study=6000, random=0, learn_every=128, updates=1, chunk=512)},
    name="vpt_tuned",
    summary="a prior cloned from watched episodes, then proximal policy optimisation that stays near to it; give it 16 rows",
    cites=("vpt_2022",),
    needs=("boxes", "choices", "data"),
    budget="6,000 lessons of watched episodes, then 60,000 decisions",
)
