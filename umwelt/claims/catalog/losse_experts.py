"""What several models chosen by surprise are good for, in a world that changes without notice."""

from umwelt.claims.arms import Lived
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.measures import FORGETTING, RETENTION
from umwelt.models import Losse
from umwelt.recipes.losse_experts import losse_experts
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

EXPERTS = Lived(
    life=varied(
        losse_experts(Pendulum()),
        {
            "teacher": Blocks(names=("moon", "long", "mirrored") * 2, steps=800),
            "agent.planner.samples": 64,
            "rhythm.probe_every": 800,
        },
    ),
    steps=4800,
    measures=(RETENTION, FORGETTING),
)

physics = Claim(
    name="losse_experts",
    says="of three physics that come twice unannounced, experts keep {gain:.2f} [{low:.2f}, {high:.2f}] more than one model",
    recipe="losse_experts",
    cites=("tame_2022", "multiple_models_2002", "losse_2024"),
    arms={"experts": EXPERTS, "leader": varied(EXPERTS, {"life.agent.model": Losse()})},
    expects=(Expect(measure="retention", arm="experts", over="leader", by=0.3),),
    # seeds that do not follow each other live one by one: as one program, all experts would be asked at every step
    seeds=(0, 2, 4, 6, 8),
    minutes=15,
    tried="one setting: three physics of six, in lessons of 800 decisions, to keep it short; of five lives the gain is uncertain",
    not_shown="a selector that reads the input alone, experts that replay, and pruning",
)
