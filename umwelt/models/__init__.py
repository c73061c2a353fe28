"""World models: one idea, one file."""

from umwelt.models.centred import Centred
from umwelt.models.doubted import Doubted
from umwelt.models.ensemble import Ensemble
from umwelt.models.implicit import Implicit
from umwelt.models.linear.physics import Linear
from umwelt.models.losse import Losse
from umwelt.models.navigator import Navigator
from umwelt.models.recalling import Recalling
from umwelt.models.rssm import Rssm
from umwelt.models.truth import Truth
from umwelt.models.wished import Wished
from umwelt.models.wondering import Wondering

__all__ = [
    "Centred",
    "Doubted",
    "Ensemble",
    "Implicit",
    "Linear",
    "Losse",
    "Navigator",
    "Recalling",
    "Rssm",
    "Truth",
    "Wished",
    "Wondering",
]
