"""What a force that no robot has is good for, when it is taken away step by step."""

from umwelt.behaviours import SAC, ModelFree
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.lives import SUCCESS, Lives
from umwelt.memory import Ring
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.teachers.weaning import Weaning
from umwelt.worlds.aided import Aided
from umwelt.worlds.crate import Crate

LEARNER = SAC(units=64, learning_rate=1e-3, discount=0.95, ema_rate=0.01, target_entropy=-0.5)
ALONE = Computed(
    function=Lives(
        world=Aided(world=Crate(batch=8, ends=False), strength=1.0),
        agent=ModelFree(learner=LEARNER, memory=Ring(bytes=8_000_000), batch=128),
        teacher=Blocks(),
        ticks=4000,
        random=200,
    ),
    measures=(SUCCESS,),
    together=True,
)
WEANED = varied(ALONE, {"function.teacher": Weaning(field="aid", success=0.7, step=0.1)})

weaned = Claim(
    name="privileged_action",
    says="a policy that learns with a virtual force on the puck, which is weaned off, brings the puck to its mark without that"
    " force in {gain:.2f} [{low:.2f}, {high:.2f}] more of its episodes than one that learns without it from the beginning",
    arms={"weaned": WEANED, "alone": ALONE},
    expects=(Expect(measure="success", arm="weaned", over="alone", by=0.3),),
    cites=("privileged_action_2025",),
    minutes=3,
    tries=5,
    tried="three settings in which the episode ends at the mark: the entropy that an end forgoes was worth more than the mark,"
    " and no life of two learned it; one that goes on, with a force of three strides, under which the help fell to nothing and no"
    " life of two had learned to push; and a force of one stride, which was not tried on tuning seeds",
    not_shown="robots, poses that cannot be grasped, relaxed limits, and the transfer to a machine; a point and a puck stand in",
)
