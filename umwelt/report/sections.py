"""The sections of a report, in order: which figures, tables and sentences describe the lives."""

import datetime
import shlex
from collections.abc import Callable
from typing import Any

import numpy as np

from umwelt.core import part
from umwelt.life.exams.comparing import compare
from umwelt.life.exams.scores import Diary, merged, score_of
from umwelt.life.exams.skills import TICKS
from umwelt.report.archive_figures import archive_table, draw_archive
from umwelt.report.comparison import draw_profiles, improvement_table, worth_table
from umwelt.report.curves import draw_curves, region_of
from umwelt.report.exams_figure import draw_exams
from umwelt.report.explored import draw_choices, draw_coverage
from umwelt.report.figure import Drawing, PageTable, counted
from umwelt.report.heat import draw_heat
from umwelt.report.imagination import draw_calibration, draw_film, draw_frames, draw_horizons, numbers_table
from umwelt.report.lifetime_section import metrics_table, tasks_table
from umwelt.report.offline_figures import DATA, agreement_table, draw_offline
from umwelt.report.page import Markup, Section, code, figure, folded, paragraph, table
from umwelt.report.positions import draw_positions
from umwelt.report.reading import LifeData
from umwelt.report.recipe_section import differences, expression, recipe_name, sameness
from umwelt.report.saved import SavedData
from umwelt.report.skill_figure import draw_traces
from umwelt.report.spent import draw_decision, draw_spent, seconds

EVENTS = 200
"""The most events that are listed: the last ones."""
ENOUGH = 3
"""Seeds below which an interval says little."""
DAMAGE = (ValueError, TypeError, LookupError, ArithmeticError)
"""What numbers raise that no life writes. SQLite has no checksums, so some damage passes for numbers."""
UNEXAMINED = (
    "This page does not show how far the world model predicts, nor how good its doubt is, because that examination takes"
    " about a minute and the life's last save. This command adds it:"
)
ERRORS = (
    "A model error is the share of the variance of a change that the model leaves unexplained, whatever the model: 0 is"
    " perfect, and 1 as good as always guessing the mean change. For the calibration, predictions are sorted into ten groups"
    " from the surest to the least sure. A doubt is calibrated where a group lies on the dotted line, and too low where a group"
    " lies above it."
)
APART = (
    "In a life the parts of a decision are one compiled program. Here each was compiled and timed by itself, on the life's last"
    " save and on the machine that made this page. Acting is to filter the observation and draw an action, planning is what"
    " choosing a good action adds, and learning is to store the step and its share of the updates."
)
SHARES = (
    "Where tasks are taken together, a return counts as a share: 0 is the mean of all first probes on a task, before any"
    " learning, and 1 the best last probe of any seed. Intervals are of 95 %, by a bootstrap that draws seeds again for each"
    " task, with a fixed key."
)
KEPT = (
    "Each row shows the return of every task at the end of one lesson; the frame marks the lesson's own task. A column that"
    " grows dark below its frame was forgotten."
)
ARCHIVE = (
    "This is the save of decision {clock:,}. A cell shows how often its entries were met, where that is counted, and else their"
    " highest score. The QD score adds up the highest score of each cell of the map, above the lowest of all."
)
SKILLS = (
    "On the save of decision {clock:,}, each skill acts alone from one start, as in an exam, for at most {ticks} decisions or to"
    " the end of the episode. Nothing of the life is touched."
)


@part
class Group:
    """Lives of one recipe. score: what they kept together, {} where it is unknown."""

    label: str
    lives: tuple[LifeData, ...]
    score: dict[str, Any]
    diary: Diary | None
    fault: str = ""


def grouped(lives: list[LifeData]) -> list[Group]:
    """Group lives by their recipes, in the order given; a single life goes by its own name."""
    found: dict[str, list[LifeData]] = {}
    for life in lives:
        # a life whose recipe is not known is a group of its own
        found.setdefault(sameness(life.description) or f"unknown: {life.path}", []).append(life)
    groups: list[Group] = []
    for members in found.values():
        label = members[0].name if len(lives) == 1 else recipe_name(members[0].description)
        taken = [group.label for group in groups]
        number = next(n for n in range(1, len(groups) + 2) if (label if n == 1 else f"{label} ({n})") not in taken)
        groups.append(_group(label if number == 1 else f"{label} ({number})", members))
    return groups


def _group(label: str, members: list[LifeData]) -> Group:
    diary = None
    try:
        diary = merged([Diary(episodes=each.episodes, probes=each.probes, end=each.clock) for each in members])
        return Group(label=label, lives=tuple(members), score=score_of(diary), diary=diary)
    except DAMAGE as error:
        fault = f"What {label} kept is not known, since its lessons and probes do not fit each other: {error}."
        return Group(label=label, lives=tuple(members), score={}, diary=diary, fault=fault)


def cautions(groups: list[Group]) -> list[str]:
    """Say what makes a comparison of these groups weak: unequal lengths, and few seeds."""
    lengths = {group.label: sorted({life.clock for life in group.lives}) for group in groups}
    said = []
    if len({clock for clocks in lengths.values() for clock in clocks}) > 1:
        text = ", ".join(f"{label} {' and '.join(f'{clock:,}' for clock in clocks)}" for label, clocks in lengths.items())
        said.append(f"These lives have unequal lengths, and a longer one had more time to learn. Decisions of each row: {text}.")
    few = {group.label: count for group in groups if (count := sum(len(life.seeds) for life in group.lives)) < ENOUGH}
    if few:
        text = ", ".join(f"{label} {count}" for label, count in few.items())
        said.append(f"Fewer than {ENOUGH} seeds have no interval that means much, so a difference may be luck. Seeds: {text}.")
    return said


class Sections:
    """Builds sections and collects the drawings on the way, which are written beside the page."""

    def __init__(self, groups: list[Group], command: str) -> None:
        self.groups, self.command, self.drawings = groups, command, []
        self.lives = [life for group in groups for life in group.lives]

    def build(self) -> list[Section]:
        """All of them, in order."""
        shared = [
            self._section("Over the clock", self._clock),
            self._section("What was kept", self._retention),
            self._section("What the world model knows", self._knowledge),
            self._section("Where the time went", self._time),
        ]
        if len(self.lives) == 1:
            ran, *others = self._life(self.lives[0], "")
            return [ran, *shared, *others]
        each = [
            Section(life.name, *_faults(life), inner=self._life(life, f"-{index}")) for index, life in enumerate(self.lives, 1)
        ]
        return [self._section("Side by side", self._side_by_side), *shared, *each]

    def _section(self, title: str, content: Callable[[], list[Markup]]) -> Section:
        """A section under its title, whatever is damaged."""
        try:
            with np.errstate(all="ignore"):  # sums and axes overflow where a damaged page holds huge numbers
                return Section(title, *content())
        except DAMAGE as error:
            return Section(title, paragraph(f"Left out, since the life holds numbers that no life writes: {error}.", note=True))

    def _figures(self, *drawings: Drawing | None) -> list[Markup]:
        drawn = [drawing for drawing in drawings if drawing is not None]
        self.drawings += drawn
        return [figure(drawing) for drawing in drawn]

    def _side_by_side(self) -> list[Markup]:
        rows = tuple(
            (group.label, ", ".join(life.name for life in group.lives), str(sum(len(life.seeds) for life in group.lives)))
            for group in self.groups
        )
        content = [table(PageTable(caption="Lives by recipe", heads=("recipe", "lives", "seeds"), rows=rows), words=True)]
        differing = differences([group.lives[0].description for group in self.groups])
        if len(self.groups) > 1 and differing:
            heads = ("setting", *(group.label for group in self.groups))
            rows = tuple((name, *values) for name, values in differing.items())
            shown = PageTable(caption="Settings that differ", heads=heads, rows=rows)
            content.append(folded("In what they differ", table(shown, words=True)))
        content += [paragraph(caution, note=True) for caution in cautions(self.groups)]
        found = compare({group.label: group.diary for group in self.groups if group.diary is not None})
        if not found:
            text = "These lives were not all probed on a task that they share, so there is nothing to compare them by."
            return [*content, paragraph(text, note=True)]
        content += [paragraph(SHARES), table(worth_table(found))]
        if found["left_out"]:
            text = f"Left out of the shares, since no life became better on them: {', '.join(found['left_out'])}."
            content.append(paragraph(text))
        chances = improvement_table(found)
        return [*content, *self._figures(draw_profiles(found)), *([table(chances)] if chances else [])]

    def _clock(self) -> list[Markup]:
        groups = {group.label: list(group.lives) for group in self.groups}
        drawn = self._figures(draw_curves(groups))
        if not drawn:
            return [paragraph("No episode has ended yet, and no surprise or doubt was written down.", note=True)]
        text = f"Lines are means over stretches of the clock. The region around a line is from {region_of(groups)}."
        return [paragraph(text), *drawn]

    def _retention(self) -> list[Markup]:
        scores = {group.label: group.score for group in self.groups if group.score}
        faults = [paragraph(group.fault, note=True) for group in self.groups if group.fault]
        if not scores:
            text = "Fewer than two tasks were both lessons and probes, so there is nothing that could have been forgotten."
            marks = [f"-{index}" if len(self.lives) > 1 else "" for index in range(1, len(self.lives) + 1)]
            drawn = [draw_exams(life.probes, f"exams{mark}") for life, mark in zip(self.lives, marks, strict=True)]
            return faults or [paragraph(text, note=True), *self._figures(*drawn)]
        maps = self._figures(draw_heat(scores, "return_matrix"), draw_heat(scores, "error_matrix"))
        text = KEPT
        if len(scores) < len(self.groups):
            text = f"Of these, only {' and '.join(scores)} had lessons on two probed tasks or more. {text}"
        if not maps:
            text = "The seeds had different lessons, so there is no one map of them."
        tables = [table(metrics_table(scores), meanings=True), folded("Each task", table(tasks_table(scores)))]
        return [*faults, paragraph(text), *maps, *tables]

    def _knowledge(self) -> list[Markup]:
        known = {life.name: life.examined for life in self.lives if life.examined}
        drawn = self._figures(draw_horizons(known), draw_calibration(known))
        by_number = [numbers_table(life.name, life.examined, life.called) for life in self.lives if life.examined]
        folds = [folded(each.caption, table(each)) for each in by_number if each is not None]
        content = [*_how_examined(known), *([paragraph(ERRORS)] if drawn else []), *drawn, *folds]
        if len(known) < len(self.lives):
            content += [paragraph(UNEXAMINED), code(f"{self.command} --examine")]
        return content

    def _time(self) -> list[Markup]:
        drawn = self._figures(draw_spent({life.name: seconds(life.timing) for life in self.lives}))
        missing = paragraph("No times were written down.", note=True)
        parts = {life.name: life.examined["decision"] for life in self.lives if life.examined.get("decision")}
        apart = self._figures(draw_decision(parts))
        text = APART if apart else "The option --examine adds the costs of acting, planning, learning and the world."
        return [*(drawn or [missing]), paragraph(text), *apart]

    def _life(self, life: LifeData, mark: str) -> list[Section]:
        """What belongs to one life alone. mark: keeps its drawings apart from those of other lives."""

        def film() -> list[Markup]:
            lines = draw_film(life.film, f"imagination{mark}", life.called)
            drawn = self._figures(lines, draw_frames(life.film, f"frames{mark}"))
            text = (
                "There is no film: this life has not come to its end yet, or its agent has no model that predicts observations."
            )
            return drawn or [paragraph(text, note=True)]

        def positions() -> list[Markup]:
            drawn = self._figures(draw_positions(life.trail, f"positions{mark}"), draw_coverage(life.trail, f"coverage{mark}"))
            text = "This life wrote down no trail of positions; its world has none in two or three dimensions, or it is older."
            return drawn or [paragraph(text, note=True)]

        chosen = draw_choices(life.episodes, f"choices{mark}", life.description.get("task_names"))
        return [
            self._section("What was run", lambda: _ran(life)),
            self._section("Imagination against reality", film),
            self._section("Where it went, and where it doubted", positions),
            *([self._section("What the teacher chose", lambda: self._figures(chosen))] if chosen else []),
            *(self._saved(life.saved, mark) if life.saved else []),
            self._section("Events", lambda: _events(life)),
        ]

    def _saved(self, saved: SavedData, mark: str) -> list[Section]:
        """What the last save holds of archives and skills."""
        archives, traces, sections = saved.archives, saved.traces, []

        def kept() -> list[Markup]:
            drawn = self._figures(*draw_archive(archives, f"archive{mark}"))
            return [paragraph(ARCHIVE.format(clock=saved.clock)), *drawn, table(archive_table(archives))]

        def led() -> list[Markup]:
            drawn = self._figures(None if traces is None else draw_traces(traces, f"skills{mark}"))
            return [paragraph(SKILLS.format(clock=saved.clock, ticks=TICKS)), *drawn]

        if archives:
            sections.append(self._section("What its archive holds", kept))
        if traces is not None:
            sections.append(self._section("Where its skills lead", led))
        if saved.offline is not None or saved.missing:
            sections.append(self._section("How it stands to the data", lambda: self._offline(saved, mark)))
        return sections

    def _offline(self, saved: SavedData, mark: str) -> list[Markup]:
        if saved.offline is None:
            return [paragraph(f"The data that it was shown cannot be read again: {saved.missing}", note=True)]
        drawn = self._figures(*draw_offline(saved.offline, f"offline{mark}"))
        return [paragraph(DATA.format(clock=saved.clock)), *drawn, table(agreement_table(saved.offline))]


def _how_examined(known: dict[str, dict[str, Any]]) -> list[Markup]:
    sentences = [
        f"{name} was examined at its save of decision {found['clock']:,},"
        f" in {found['episodes']} episodes of each task. {found['note']}"
        for name, found in known.items()
    ]
    return [paragraph(sentence) for sentence in sentences]


def _faults(life: LifeData) -> list[Markup]:
    return [paragraph(fault, note=True) for fault in life.faults]


def _ran(life: LifeData) -> list[Markup]:
    """What was run, and how to repeat it."""
    description = life.description
    rows = _rows(description)
    state = "came to its end" if life.clock >= life.end else f"stands before its end at {life.end * rows:,}"
    done, seeds = counted(life.clock * rows, "decision"), counted(len(life.seeds), "seed")
    content = [*_faults(life), paragraph(f"The life has {done} of each seed, with {seeds}; it {state}.")]
    if len(life.episodes["return"]) and (broken := int(np.isnan(np.asarray(life.episodes["return"], np.float64)).sum())):
        text = f"In {broken:,} of its {len(life.episodes['return']):,} episodes the world failed. They count in no return."
        content.append(paragraph(text, note=True))
    if description.get("command"):
        content += [paragraph("This command repeats it:"), code(str(description["command"]))]
    elif description:
        content.append(paragraph("It was begun from Python; the expression below is the whole of it."))
    if life.clock < life.end:
        content += [paragraph("This command resumes it:"), code(f"umwelt resume {shlex.quote(str(life.path))}")]
    facts = {"seeds": ", ".join(str(seed) for seed in life.seeds) or "-", **_texts(description.get("versions"))}
    facts |= _texts(description.get("machine") or {"machine": "not written down"})
    shown = PageTable(caption="Seeds, versions and machine", heads=("what", "value"), rows=tuple(facts.items()))
    content.append(table(shown, words=True))
    if description.get("life"):
        content.append(folded("The recipe, every setting", code(expression(description["life"]))))
    return content


def _rows(description: dict[str, Any]) -> int:
    """The rows of one seed; the description counts those of all seeds."""
    try:
        seeds = int(description["life"]["fields"]["seeds"])
    except (KeyError, TypeError, ValueError):  # a description that is old, or damaged
        seeds = 1
    return description.get("rows", 1) // max(1, seeds)


def _texts(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _events(life: LifeData) -> list[Markup]:
    events = life.events
    if not len(events["clock"]):
        return [paragraph("Nothing out of the ordinary was written down.")]
    shown = range(max(0, len(events["clock"]) - EVENTS), len(events["clock"]))
    rows = tuple(
        (f"{int(events['clock'][row]):,}", str(int(events["seed"][row])), str(events["name"][row]), str(events["message"][row]),
         _when(events["wall"][row]))
        for row in shown
    )  # fmt: skip
    left = len(events["clock"]) - len(rows)
    caption = f"The last {len(rows)} of {len(rows) + left:,} events" if left else "Everything that happened"
    heads = ("decision", "seed", "event", "what", "when")
    return [table(PageTable(caption=caption, heads=heads, rows=rows), words=True)]


def _when(wall: Any) -> str:
    try:
        return datetime.datetime.fromtimestamp(float(wall)).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # no time at all, or one that no clock shows
        return "-"
