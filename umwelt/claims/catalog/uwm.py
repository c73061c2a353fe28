"""Whether a denoiser of actions and of what follows learns from crossings whose actions are not known."""

from umwelt.behaviours import Denoised, Sequenced, Unified
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.crossed import SUCCESS
from umwelt.claims.studies.half_watched import FORWARD, INVERSE, HalfWatched
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied

AGENT = Sequenced(
    learner=Unified(window=1, acts="joint"), memory=Trajectories(bytes=2_000_000, length=2), batch=256, average=0.998
)
WATCHED = Computed(function=HalfWatched(agent=AGENT), measures=(SUCCESS,), together=True)
KNOWN = Computed(function=HalfWatched(agent=AGENT, known=42, watched=False), measures=(SUCCESS, FORWARD, INVERSE), together=True)
OF = "function.agent.learner"

unified = Claim(
    name="uwm",
    says="two hundred crossings that are watched beside ten whose actions are known let one denoiser of both cross {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more often than the ten alone, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than a denoiser of"
    " actions; its errors as a model and as an inverse model are {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] and {gain_4:.2f}"
    " [{low_4:.2f}, {high_4:.2f}] times those of networks that learn one of the two",
    recipe="uwm",
    arms={
        "watched": WATCHED,
        "ten alone": varied(WATCHED, {"function.watched": False}),
        "actions alone": varied(WATCHED, {"function.watched": False, OF: Denoised(window=1)}),
        "all known": KNOWN,
        "model": varied(KNOWN, {f"{OF}.learns": "forward"}),
        "inverse model": varied(KNOWN, {f"{OF}.learns": "inverse"}),
    },
    expects=(
        Expect(measure="success", arm="watched", over="ten alone", by=0.15),
        Expect(measure="success", arm="watched", over="actions alone", by=0.15),
        Expect(measure="forward_error", arm="all known", over="model", by=1.5, ratio=True),
        Expect(measure="inverse_error", arm="all known", over="inverse model", by=1.5, ratio=True),
    ),
    cites=("uwm_2025",),
    minutes=10,
    tries=4,
    tried="on one seed: ten crossings of one route from near the middle, ten of six routes, and ten and two of one route from"
    " anywhere; the few alone crossed in 0.92 to 1.00, so that nothing was left to be learned by watching",
    not_shown="video, robots and DROID; a maze; and a transformer with adaptive norms, for which a small network stands in",
)
