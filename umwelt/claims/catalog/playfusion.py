"""Whether a vocabulary between words and a denoiser helps where wishes are worded otherwise than labels were."""

from umwelt.behaviours import DenoisedPlay, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.worded import KNOWN, OTHER, Worded
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied

AGENT = Sequenced(learner=DenoisedPlay(), memory=Trajectories(bytes=8_000_000, length=5), batch=128)
CODED = Computed(function=Worded(agent=AGENT), measures=(KNOWN, OTHER), together=True)
OF = "function.agent.learner"

words = Claim(
    name="playfusion",
    says="where play was labelled in words, and one label in ten is any, codes of words and skills reach the gate that is asked"
    " for in other words {gain:.2f} [{low:.2f}, {high:.2f}] more often than no codes, and a policy that denoises"
    " {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than one that says the mean",
    recipe="playfusion",
    arms={
        "codes": CODED,
        "no codes": varied(CODED, {f"{OF}.codes": 0, f"{OF}.word_codes": 0}),
        "mean": varied(CODED, {f"{OF}.steps": 0}),
    },
    expects=(
        Expect(measure="other_wording", arm="codes", over="no codes", by=0.1),
        Expect(measure="known_wording", arm="codes", over="mean", by=0.2),
    ),
    cites=("playfusion_2023",),
    seeds=(0, 1, 2, 3),
    minutes=10,
    tried="one setting, which was not tuned; all three arms reach one gate in ten or fewer, so they can hardly differ",
    not_shown="pictures, kitchens and encoders of sentences; three gates of a field and runs of letters stand in for them",
)
