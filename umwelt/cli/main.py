"""`umwelt`: the command line. Each verb is one file, imported when it is called."""

import importlib
import os
import select
import sys

VERBS = {
    "live": "begin a life; without arguments, a first life of about two minutes",
    "resume": "go on with a life where it was last saved",
    "probe": "examine a life without touching it",
    "data": "say what stands in a data set, before anything is learned from it",
    "record": "record episodes of a life, for other agents to learn from",
    "report": "write a page about one life, or several side by side",
    "check": "check a world against its contract, and explain each fault",
    "recommend": "say which recipes fit a world, in what order to try them, and what each costs",
    "export": "write down a life for other programs: tables, or a recording to look at",
    "serve": "let other programs ask what a life learned, over HTTP",
    "watch": "serve a page to watch lives while they run, and after",
    "hash": "print a fingerprint of a life's value and of its chronicle",
    "list": "show the worlds, parts and recipes, also those of other packages",
    "sweep": "run several recipes in several worlds, with several seeds, and compare them",
    "show": "print what each idea is good for, as it was tried, or repeat a claim",
    "atlas": "find a published system or an idea, and what came of it here",
    "cite": "print the BibTeX of a recipe and of its parts",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit code. Where the reader of what is printed has gone, it ends quietly."""
    try:
        try:
            return _run(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_gone():
            raise  # another pipe, such as that of a hosted world
        # what is still in the buffer is flushed when the interpreter ends, and must go somewhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), _output())
        return 1


def _look_here() -> None:
    """Let a world, a part or a recipe of the user's own be found from its folder, by every verb alike."""
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)


def _output() -> int:
    return 1 if sys.stdout is None else sys.stdout.fileno()


def _reader_gone() -> bool:
    watcher = select.poll()
    watcher.register(_output(), 0)
    return any(happened & select.POLLERR for _, happened in watcher.poll(0))


def _run(arguments: list[str] | None) -> int:
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] == "--version":
        from umwelt import __version__

        print(f"umwelt {__version__}")
        return 0
    from umwelt.cli.options import UsageError, fail, nearest

    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        fail(nearest(verb, list(VERBS), "verb") + "; `umwelt --help` shows them")
    from umwelt.life.compiled import keep_compiled
    from umwelt.life.signals import Signals

    keep_compiled()
    Signals.insists = True
    _look_here()
    try:
        return importlib.import_module(f"umwelt.cli.{verb}").run(rest)
    except UsageError as error:
        fail(str(error))
    except KeyboardInterrupt:
        goes_on = "; `umwelt resume` goes on from the last save" if verb in ("live", "resume") else ""
        fail(f"stopped at once{goes_on}", 130)
    except Exception as error:
        from umwelt.cli.errors import expected_errors  # it imports whatever can fail

        code = expected_errors(error)
        if code is None:
            raise
        fail(str(error), code)


def usage() -> str:
    """What `umwelt --help` prints."""
    verbs = "\n".join(f"  {verb:<9} {meaning}" for verb, meaning in VERBS.items())
    return f"""umwelt: agents that live.

usage: umwelt VERB [OPTIONS]

{verbs}

begin here:
  umwelt live                                                  a first life
  umwelt live --world gymnasium:Pendulum-v1 --recipe pets --steps 2000
  umwelt live --help                                           all options of the parts
  umwelt resume lives/NAME                                     go on after a stop, a kill or a crash
  umwelt report lives/NAME                                     a page about how it went

Every verb takes --help, and --json for one JSON object in place of words."""
