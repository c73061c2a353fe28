"""Which share of the ways that are shown a clone keeps: the entropy of what it does, beside that of its data."""

from umwelt.behaviours import BeT, Denoised, Sequenced
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.circles import Plain
from umwelt.claims.studies.crossed import ENTROPY, GIVEN, SUCCESS, Crossed
from umwelt.claims.studies.demonstrating import Demonstrator
from umwelt.memory import Trajectories
from umwelt.recipes.variation import varied

MODES = 24
AGENT = Sequenced(learner=Denoised(), memory=Trajectories(bytes=4_000_000, length=2), batch=128)
DENOISING = Computed(function=Crossed(agent=AGENT, modes=MODES, rows=60), measures=(SUCCESS, ENTROPY, GIVEN), together=True)
CODES = Sequenced(learner=BeT(), memory=Trajectories(bytes=4_000_000, length=10))

diverse = Claim(
    name="d3il",
    says="shown all 24 ways through a field, a clone that denoises keeps {gain:.2f} [{low:.2f}, {high:.2f}] times the entropy of"
    " its data, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more than one that says the mean, and crosses {gain_3:.2f} [{low_3:.2f},"
    " {high_3:.2f}] more often; one that names a code and corrects it keeps {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] times that"
    " entropy",
    arms={
        "denoising": DENOISING,
        "mean": varied(DENOISING, {"function.agent.learner.by": Plain()}),
        "codes": varied(DENOISING, {"function.agent": CODES, "function.updates": 3000}),
        "data": varied(DENOISING, {"function.agent": Demonstrator(modes=MODES), "function.updates": 1}),
    },
    expects=(
        Expect(measure="mode_entropy", arm="denoising", over="data", by=0.5, ratio=True),
        Expect(measure="mode_entropy", arm="denoising", over="mean", by=0.2),
        Expect(measure="success", arm="denoising", over="mean"),
        Expect(measure="mode_entropy", arm="codes", over="data", by=0.5, ratio=True),
    ),
    cites=("d3il_2024", "diffusion_bc_2023", "bet_2022"),
    minutes=8,
    tried="one setting",
    not_shown="the benchmark's tasks in which an arm pushes, sorts and stacks blocks, those that are seen in images, and what"
    " people demonstrated; this field is in the manner of its task Avoiding, and an expert with noise crosses it",
)
