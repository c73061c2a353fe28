"""Two ways to learn pages of six fields, where a right page is hardly ever met by chance."""

from umwelt.behaviours import DQN, ModelFree
from umwelt.behaviours.matching import Matching
from umwelt.claims.arms import Computed
from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.lives import SUCCESS, Lives
from umwelt.memory import Ring
from umwelt.memory.filled import Filled
from umwelt.recipes.variation import varied
from umwelt.teachers import Blocks
from umwelt.teachers.weaning import Weaning
from umwelt.worlds.page_form import Page

PAGE = Page(batch=16)
RING = Ring(bytes=12_000_000)
NEITHER = Computed(
    function=Lives(world=PAGE, agent=ModelFree(learner=Matching(), memory=RING, batch=64), teacher=Blocks(), ticks=2000),
    measures=(SUCCESS,),
    together=True,
)
WEANED = varied(NEITHER, {"function.teacher": Weaning(field="done")})
HINDSIGHT = varied(NEITHER, {"function.agent.memory": Filled(memory=RING, world=PAGE)})
BOTH = varied(HINDSIGHT, {"function.teacher": Weaning(field="done")})
PLAIN = varied(
    WEANED, {"function.agent.learner": DQN(units=64, learning_rate=1e-3, discount=0.9, final_epsilon=0.1, ema_rate=0.02)}
)

pages = Claim(
    name="qweb",
    says="of pages with six fields, {gain:.2f} [{low:.2f}, {high:.2f}] are submitted rightly by a value learner that began with"
    " filled pages, {gain_2:.2f} [{low_2:.2f}, {high_2:.2f}] by one that reads instructions off its own pages, and"
    " {gain_3:.2f} [{low_3:.2f}, {high_3:.2f}] by one with both; the first submits"
    " {gain_4:.2f} [{low_4:.2f}, {high_4:.2f}] more than one with neither",
    arms={"weaned": WEANED, "hindsight": HINDSIGHT, "both": BOTH, "neither": NEITHER},
    expects=(
        *(Expect(measure="success", arm=arm, over=0.0, by=0.8) for arm in ("weaned", "hindsight", "both")),
        Expect(measure="success", arm="weaned", over="neither", by=0.7),
    ),
    cites=("qweb_2019",),
    minutes=2,
    tried="one setting; at 300 decisions of each row one of two lives had learned it",
    not_shown="browsers and language: instructions are given as values of fields; part-goals that grow; shaped rewards",
)

matched = Claim(
    name="qweb_matched",
    says="a network that compares instruction and page field by field submits {gain:.2f} [{low:.2f}, {high:.2f}] more pages"
    " rightly than one that reads both as one vector, both weaned from filled pages",
    arms={"matched": WEANED, "plain": PLAIN},
    expects=(Expect(measure="success", arm="matched", over="plain", by=0.5),),
    cites=("qweb_2019",),
    minutes=1,
    not_shown="the paper's network over words and the tree of a page",
)
