"""Settings that hold for all tests and for the processes that they start."""

import os
from importlib.metadata import version

# Most tests compile many small programs and run each once: with these flags the compiler takes half the
# time. `make test` asks for them, but not for the tests marked `exact`, which compare bits of two programs.
# The second flag is not known to every XLA, and one that does not know it would stop.
if os.environ.get("UMWELT_QUICK_COMPILER"):
    FLAGS = ["--xla_backend_optimization_level=0"]
    if version("jaxlib").startswith("0.10."):
        FLAGS.append("--xla_cpu_use_fusion_emitters=false")
    os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
