"""What the disagreement of small networks is good for: it ranks the errors of a model that has no doubt of its own."""

from umwelt.claims.arms import Computed, Measure
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.models import ByTask, Once
from umwelt.models import Doubted, Ensemble, Implicit
from umwelt.recipes.variation import varied
from umwelt.worlds import Pendulum

NETWORK = Ensemble(members=1, layers=2, units=64, propagation="mean", noisy=False, beta=1.0, share=1.0)
LATENT = Implicit(latent=32, units=64, encoder_units=64, lambda_=1.0, policy_latents=1)
DOUBTED = Computed(
    function=Once(
        data=ByTask(world=Pendulum(time_limit=50), tasks=("earth",), steps=1000, exam=1000),
        model=Doubted(model=NETWORK),
        updates=1000,
        batch=64,
        length=3,
        context=1,
    ),
    measures=(Measure(name="doubt_rank", unit="rank correlation", better="up"),),
    together=True,
)

LATENTS = varied(DOUBTED, {"function.model.model": LATENT})

ranks = Claim(
    name="doubt",
    says="doubt ranks the errors of a network by {gain:.2f} [{low:.2f}, {high:.2f}] above a correlation of 0.3",
    cites=("plan2explore_2020",),
    arms={"network": DOUBTED},
    expects=(Expect(measure="doubt_rank", arm="network", over=0.3),),
    seeds=(10, 11, 12, 13, 14),
    tuned=(0, 1, 2, 3, 4),
    minutes=2,
    tried="one setting; on seeds 0 to 4 this claim and that about latents were one, and were parted after a look at them",
    not_shown="exploration by doubt in a life",
)
latents = Claim(
    name="doubt_latent",
    says="doubt ranks the errors of a model that learns its own latents by {gain:.2f} [{low:.2f}, {high:.2f}] above 0.3",
    cites=("plan2explore_2020",),
    arms={"latent": LATENTS},
    expects=(Expect(measure="doubt_rank", arm="latent", over=0.3),),
    seeds=(10, 11, 12, 13, 14),
    tuned=(0, 1, 2, 3, 4),
    minutes=4,
    tried="one setting, seen on seeds 0 to 4; errors are those of the imagined latent, each number in deviations of its change",
    not_shown="exploration by doubt in a life",
)
