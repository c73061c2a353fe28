"""Lives of one recipe in one world, examined on the way: the arm of every claim about what a recipe reaches."""

from umwelt.claims.arms import Lived
from umwelt.claims.measures import FINAL_RETURN
from umwelt.life.composition import Life
from umwelt.recipes.variation import varied


def curve(life: Life, steps: int, every: int = 0) -> Lived:
    """Make the arm of a life of `steps` decisions, with ten episodes in each probe.

    every: decisions from one probe to the next; 0 examines at the two ends alone.
    """
    life = varied(life, {"rhythm.probe_every": every, "rhythm.probe_episodes": 10})
    return Lived(life=life, steps=steps, measures=(FINAL_RETURN,))
