"""Three of ten actions from an adviser that is often wrong, in four rooms."""

from umwelt.behaviours.advised import Advised
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.key_room_arms import VALUES, practised
from umwelt.claims.studies.practised import AREA, SUCCESS
from umwelt.recipes.variation import varied
from umwelt.worlds import KeyRooms
from umwelt.worlds.advice import Advice

ROOMS = 4
ADVISED = practised(
    ROOMS,
    Advised(agent=VALUES, suggest=Advice(world=KeyRooms(rooms=ROOMS), wrong=0.6), share=0.3),
    (SUCCESS, AREA),
    ticks=4000,
    episodes=32,
)

helps = Claim(
    name="explorllm",
    says="an agent that takes three of ten actions from an adviser, of which six in ten are random, passes four rooms {gain:.2f}"
    " [{low:.2f}, {high:.2f}] more often than without it, and {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] more often than the"
    " adviser alone",
    recipe="explorllm",
    cites=("explorllm_2024",),
    arms={
        "advised": ADVISED,
        "none": varied(ADVISED, {"function.agent.share": 0.0}),
        "alone": varied(ADVISED, {"function.agent.share": 0.0, "function.agent.examined": 1.0}),
    },
    expects=(
        Expect(measure="success", arm="advised", over="none", by=0.3),
        Expect(measure="success", arm="advised", over="alone", by=0.3),
    ),
    minutes=3,
    tries=2,
    tried="five rooms with a share of 0.2, which the agent never passes while the adviser alone passes them in 0.88 of episodes,"
    " and four rooms with a share of 0.3",
    not_shown="a language model as adviser, pictures, a robot, and actions as things and offsets",
)
