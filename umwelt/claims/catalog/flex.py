"""What inputs that tell most are good for, when a pendulum with a weak motor is to be known."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.inputs import TOLD
from umwelt.recipes.variation import varied

EVEN = varied(TOLD, {"function.planner": None})

tells = Claim(
    name="flex",
    says="after 50 inputs the error of a pendulum's weights is {gain:.2f} [{low:.2f}, {high:.2f}] times that of random inputs"
    " of the same bound, and after 100 {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] times",
    recipe="flex",
    cites=("flex_2023",),
    arms={"informative": TOLD, "random": EVEN, "random signs": varied(EVEN, {"function.signs": True})},
    expects=(
        Expect(measure="error_at_50", arm="informative", over="random", by=0.5, ratio=True),
        Expect(measure="error_at_100", arm="informative", over="random", by=0.5, ratio=True),
    ),
    seeds=tuple(range(20)),
    tuned=(100, 101, 102, 103, 104, 105),
    minutes=0.5,
    tries=2,
    tried="starts anywhere, where a fall says as much as any input, and starts at rest, on seeds 100 to 105",
    not_shown="arm and quadrotor, and planners over long horizons. Inputs of full size and random sign are a second control",
)
