"""Run one job, as `umwelt.claims.jobs` says."""

import sys

from umwelt.claims.jobs import main

sys.exit(main(sys.argv[1:]))
