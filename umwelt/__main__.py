"""`python -m umwelt` is `umwelt`."""

import sys

from umwelt.cli.main import main

sys.exit(main())
