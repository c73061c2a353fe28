"""Skills that go where present skills seldom do, beside skills that go far."""

from umwelt.claims.claim import Claim, Expect
from umwelt.claims.studies.crates import arm

moved = Claim(
    name="csd",
    says="of 64 skills that were discovered without reward, {gain:.2f} [{low:.2f}, {high:.2f}] more move a puck where changes are"
    " measured by how seldom they are than where they are measured in a straight line",
    arms={"controllable": arm(distance="controllable"), "straight": arm(distance="straight")},
    expects=(Expect(measure="displaced", arm="controllable", over="straight", by=0.15),),
    cites=("csd_2023",),
    seeds=(0, 1, 2, 3, 4, 5),
    minutes=3,
    tried="one setting",
    not_shown="six worlds of MuJoCo, and skills that another policy calls",
)
