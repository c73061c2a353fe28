"""What a divergence of beliefs is good for, where part of what is seen is noise."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.noticed import LATENT
from umwelt.curiosity import Mismatch
from umwelt.recipes.variation import varied

calm = Claim(
    name="latent_bayesian_surprise",
    says="noise in a known region is paid {gain:.3f} [{low:.3f}, {high:.3f}] less than a tenth of what an unknown region is, and"
    " {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] less of it than by the error of a prediction",
    recipe="latent_bayesian_surprise",
    cites=("latent_bayesian_surprise_2022",),
    arms={"latent": LATENT, "error": varied(LATENT, {"function.signal": Mismatch(of="next")})},
    expects=(
        Expect(measure="noise_paid", arm="latent", over=0.1),
        Expect(measure="noise_paid", arm="latent", over="error", by=0.2),
    ),
    minutes=1,
    tuned=(100, 101, 102, 103, 104, 105),
    tries=2,
    tried="an unknown region at a distance, where the error grew so large that noise is a tenth of it; and one beside the known",
    not_shown="Atari and pixels; lives; the form in which a recurrent world model predicts its own surprise",
)
