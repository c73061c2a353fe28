"""Run one guarded row in a worker process, by orders through its standard input.

Run as a script, so that it loads the two files it needs and neither JAX nor the caller's main module.
"""

import importlib
import os
import pickle
import signal
import sys
import threading
import time
import types


def leave_with(parent: int) -> None:
    """End this process when its parent is gone, even in the middle of a long step."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def serve() -> None:
    """Answer (method, arguments) with outcomes until the other side closes."""
    # A world may print: its text goes to the errors, and the answers keep the real output to themselves.
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[:] = pickle.load(orders)
    package = types.ModuleType("umwelt_worker")
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules["umwelt_worker"] = package
    forms, rows = (importlib.import_module(f"umwelt_worker.{name}") for name in ("forms", "row"))
    builds, form = pickle.load(orders)
    row = rows.Row(builds, forms.ArrayForm(**form))
    while True:
        try:
            method, arguments = pickle.load(orders)
        except EOFError:
            return row.close()
        # A plain tuple: the parent knows this process's classes under other names.
        pickle.dump(tuple(getattr(row, method)(*arguments)), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    # Ctrl-C is for the parent, which then closes its workers in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=leave_with, args=(int(sys.argv[1]),), daemon=True).start()
    serve()
