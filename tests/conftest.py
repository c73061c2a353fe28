"""Settings that hold for all tests and for the processes that they start."""

import os
from importlib.metadata import version

# The tests compile thousands of small programs and run most of them once: with these flags the compiler
# takes half the time. The second is not known to every XLA, and one that does not know it would stop.
FLAGS = ["--xla_backend_optimization_level=0"]
if version("jaxlib").startswith("0.10."):
    FLAGS.append("--xla_cpu_use_fusion_emitters=false")
os.environ.setdefault("XLA_FLAGS", " ".join(FLAGS))
