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
    seeds=(6, 7, 8, 9, 10, 11),
    minutes=10,
    tries=17,
    tried="5,000 updates at a scale of 10, on seeds 0 to 5, which left both arms near 0 and count no more. Then, on seeds 100 to"
    " 102, scales from 10 to 1,000, up to 30,000 updates, multipliers that begin at 30 and 100, another bound of the deviations,"
    " and the mark hidden: updates and scale made the difference",
    not_shown="six worlds of MuJoCo, and skills that another policy calls",
)
