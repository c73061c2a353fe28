"""What it is good for that a latent holds no luck, where a learner of logs asks for a high return."""

from umwelt.behaviours import Asking, Cloning, Controlled
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.luck import PAID, Levers, Walked
from umwelt.memory.played import Played
from umwelt.recipes.variation import varied
from umwelt.worlds.table import Table

LEARNERS = {"controlled": Controlled(), "asking": Asking(learner=Cloning(units=64)), "cloning": Cloning(units=64)}
LEVERS = Computed(function=Levers(learner=Controlled()), measures=(PAID,), together=True)
LAKE = Computed(
    function=Walked(learner=Controlled(), data=Played(world=Table(), how="expert", noise=0.5, episodes=100)),
    measures=(PAID,),
    together=True,
)
luck = Claim(
    name="doc",
    says="of two levers that pay 0.6 and 0.4, a latent without luck takes the better one so often that it is paid {gain:.3f}"
    " [{low:.3f}, {high:.3f}] more than 0.57, and {gain_2:.3f} [{low_2:.3f}, {high_2:.3f}] more than where the best return is"
    " asked for; on ice it reaches the goal {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] more often than that, and {gain_4:.2f}"
    " [{low_4:.2f}, {high_4:.2f}] more than a clone",
    recipe="doc",
    arms={
        f"{name} {where}": varied(arm, {"function.learner": learner})
        for where, arm in (("levers", LEVERS), ("lake", LAKE))
        for name, learner in LEARNERS.items()
    },
    expects=(
        Expect(measure="paid", arm="controlled levers", over=0.57, by=0.0),
        Expect(measure="paid", arm="controlled levers", over="asking levers", by=0.1),
        Expect(measure="paid", arm="controlled lake", over="asking lake", by=0.1),
        Expect(measure="paid", arm="controlled lake", over="cloning lake", by=0.1),
    ),
    cites=("doc_2023", "decision_transformer_2021"),
    seeds=tuple(range(8)),
    tuned=(100, 101, 102),
    minutes=4,
    tries=2,
    tried="at a weight of 1, with energies as slow as the latents, luck was held on to; 2, three times as fast, is the second",
    not_shown="robots with noise, and latents of a whole future: here a latent belongs to one action. The rival that asks for the"
    " best return is a clone with the return among its features, not a transformer; in the levers nothing precedes a pull, and on"
    " ice the cell is all there is to know",
)
