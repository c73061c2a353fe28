"""What turns transitions into bonuses."""

from umwelt.curiosity.beacons import Beacons
from umwelt.curiosity.counts import Counts
from umwelt.curiosity.determinant import Diverse
from umwelt.curiosity.distilled import Distilled
from umwelt.curiosity.elliptic import Elliptic
from umwelt.curiosity.emitters import Serene
from umwelt.curiosity.empowerment import Empowerment
from umwelt.curiosity.encoded import Encoded
from umwelt.curiosity.faraway import Faraway
from umwelt.curiosity.latent_surprise import LatentSurprise
from umwelt.curiosity.mismatch import Mismatch
from umwelt.curiosity.neighbours import Neighbours
from umwelt.curiosity.novelty import Novelty
from umwelt.curiosity.progress import Progress
from umwelt.curiosity.rare import Rare
from umwelt.curiosity.signature import Signed
from umwelt.curiosity.suggested import Suggested

__all__ = [
    "Beacons",
    "Counts",
    "Distilled",
    "Diverse",
    "Elliptic",
    "Empowerment",
    "Encoded",
    "Faraway",
    "LatentSurprise",
    "Mismatch",
    "Neighbours",
    "Novelty",
    "Progress",
    "Rare",
    "Serene",
    "Signed",
    "Suggested",
]
