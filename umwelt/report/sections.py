"""The sections of a report: which figures and sentences say what of lives."""

import datetime
from typing import Any

from umwelt.core import part
from umwelt.life.exams.comparing import compare
from umwelt.life.exams.scores import Diary, merged, score_of
from umwelt.report.comparison import draw_profiles, improvement_table, worth_table
from umwelt.report.curves import draw_curves
from umwelt.report.figure import Drawing, Table, counted
from umwelt.report.heat import draw_heat
from umwelt.report.imagination import draw_calibration, draw_film, draw_frames, draw_horizons
from umwelt.report.lifetime_section import metrics_table, tasks_table
from umwelt.report.page import Markup, Section, code, figure, folded, paragraph, table
from umwelt.report.places import draw_places
from umwelt.report.reading import Story
from umwelt.report.recipe_section import differences, expression, recipe_name, sameness
from umwelt.report.spent import draw_decision, draw_spent, seconds

EVENTS = 200
"""Events that are listed: the last ones."""
UNEXAMINED = (
    "How far the world model foresees, and what its doubt is worth, was not examined for this page, since it takes a minute or so"
    " and the life's last save. This command does it:"
)

ERRORS = (
    "An error is the share of what changed that was not foreseen: 0 is perfect, and 1 as good as guessing. For the calibration,"
    " predictions are sorted into ten groups from the surest to the least sure; doubt tells the truth where a group lies on the"
    " dotted line, and is too sure of itself above it."
)
APART = (
    "In a life the parts of a decision are one compiled program; here each was compiled and timed by itself, on the life's last"
    " save and on the machine that made this page. Acting is to see and to draw an action, planning what choosing a good one"
    " costs beyond that, and learning takes in what came and pays for the updates that fall upon one decision."
)


@part
class Group:
    """Lives of one recipe. score: what they kept together, {} where that cannot be told."""

    label: str
    stories: tuple[Story, ...]
    score: dict[str, Any]
    diary: Diary
    fault: str = ""


def grouped(stories: list[Story]) -> list[Group]:
    """Lives by their recipes, in the order given; a single life goes by its own name."""
    found: dict[str, list[Story]] = {}
    for story in stories:
        # a life of which nobody knows what was run is a group of its own
        found.setdefault(sameness(story.description) or f"unknown: {story.path}", []).append(story)
    groups: list[Group] = []
    for members in found.values():
        label = members[0].name if len(stories) == 1 else recipe_name(members[0].description)
        taken = [group.label for group in groups]
        number = next(n for n in range(1, len(groups) + 2) if (label if n == 1 else f"{label} ({n})") not in taken)
        groups.append(_group(label if number == 1 else f"{label} ({number})", members))
    return groups


def _group(label: str, members: list[Story]) -> Group:
    diary = merged([Diary(episodes=each.episodes, probes=each.probes, end=each.clock) for each in members])
    try:
        return Group(label=label, stories=tuple(members), score=score_of(diary), diary=diary)
    except ValueError as error:
        fault = f"What {label} kept could not be told, since its lessons and probes do not fit each other: {error}."
        return Group(label=label, stories=tuple(members), score={}, diary=diary, fault=fault)


class Sections:
    """Builds sections and collects the drawings on the way, which are written beside the page."""

    def __init__(self, groups: list[Group], command: str) -> None:
        self.groups, self.command, self.drawings = groups, command, []
        self.stories = [story for group in groups for story in group.stories]

    def build(self) -> list[Section]:
        """All of them, in order."""
        shared = [self._clock(), self._retention(), self._knowledge(), self._time()]
        if len(self.stories) == 1:
            ran, *others = self._life(self.stories[0], "")
            return [ran, *shared, *others]
        each = [
            Section(story.name, *_faults(story), inner=self._life(story, f"-{index}"))
            for index, story in enumerate(self.stories, 1)
        ]
        return [self._side_by_side(), *shared, *each]

    def _figures(self, *drawings: Drawing | None) -> list[Markup]:
        drawn = [drawing for drawing in drawings if drawing is not None]
        self.drawings += drawn
        return [figure(drawing) for drawing in drawn]

    def _side_by_side(self) -> Section:
        rows = tuple(
            (group.label, ", ".join(story.name for story in group.stories), str(sum(len(story.seeds) for story in group.stories)))
            for group in self.groups
        )
        content = [table(Table(caption="Lives by recipe", heads=("recipe", "lives", "seeds"), rows=rows), words=True)]
        differing = differences([group.stories[0].description for group in self.groups])
        if len(self.groups) > 1 and differing:
            rows = tuple((name, *values) for name, values in differing.items())
            heads = ("setting", *(group.label for group in self.groups))
            content.append(
                folded("In what they differ", table(Table(caption="Settings that differ", heads=heads, rows=rows), words=True))
            )
        found = compare({group.label: group.diary for group in self.groups})
        if not found:
            told = "These lives were not all probed on a task that they share, so there is nothing to compare them by."
            return Section("Side by side", *content, paragraph(told, note=True))
        told = (
            "A return counts as a share where tasks are taken together: 0 is the mean of all first probes on a task, before"
            " anything was learned, and 1 the best last probe of any seed. Intervals are of 95 %, by a bootstrap that draws"
            " seeds anew for each task, with a fixed key."
        )
        content += [paragraph(told), table(worth_table(found))]
        if found["left_out"]:
            content.append(
                paragraph(f"Left out of the shares, since nobody became better on them: {', '.join(found['left_out'])}.")
            )
        chances = improvement_table(found)
        content += [*self._figures(draw_profiles(found)), *([table(chances)] if chances else [])]
        return Section("Side by side", *content)

    def _clock(self) -> Section:
        drawn = self._figures(draw_curves({group.label: list(group.stories) for group in self.groups}))
        missing = paragraph("No episode has ended yet, and no surprise or doubt was written down.", note=True)
        told = "Lines are means over stretches of the clock"
        told += ", the regions around them reach from the lowest to the highest" + (" seed." if len(self.stories) > 1 else ".")
        return Section("Over the clock", *([paragraph(told), *drawn] if drawn else [missing]))

    def _retention(self) -> Section:
        scores = {group.label: group.score for group in self.groups if group.score}
        faults = [paragraph(group.fault, note=True) for group in self.groups if group.fault]
        if not scores:
            told = "Less than two tasks were both lived and probed, so there is nothing that could have been forgotten."
            return Section("What was kept", *(faults or [paragraph(told, note=True)]))
        maps = self._figures(draw_heat(scores, "return_matrix"), draw_heat(scores, "error_matrix"))
        told = (
            "Each row is what every task was worth at the end of one lesson; the frame is on the lesson's own task. A column that"
            " grows dark below its frame was forgotten."
        )
        if len(scores) < len(self.groups):
            told = f"Of these, only {' and '.join(scores)} lived two tasks or more that were probed. {told}"
        if not maps:
            told = "The seeds lived through different lessons, so there is no one map of them."
        tables = [table(metrics_table(scores), told=True), folded("Each task", table(tasks_table(scores)))]
        return Section("What was kept", *faults, paragraph(told), *maps, *tables)

    def _knowledge(self) -> Section:
        known = {story.name: story.examined for story in self.stories if story.examined}
        drawn = self._figures(draw_horizons(known), draw_calibration(known))
        content = [*_how_examined(known), *([paragraph(ERRORS)] if drawn else []), *drawn]
        if len(known) < len(self.stories):
            content += [paragraph(UNEXAMINED), code(f"{self.command} --examine")]
        return Section("What the world model knows", *content)

    def _time(self) -> Section:
        drawn = self._figures(draw_spent({story.name: seconds(story.timing) for story in self.stories}))
        missing = paragraph("No times were written down.", note=True)
        parts = {story.name: story.examined["decision"] for story in self.stories if story.examined.get("decision")}
        apart = self._figures(draw_decision(parts))
        told = (
            paragraph(APART) if apart else paragraph("What acting, planning, learning and the world take is told by --examine.")
        )
        return Section("Where the time went", *(drawn or [missing]), told, *apart)

    def _life(self, story: Story, mark: str) -> list[Section]:
        """What belongs to one life alone. mark: keeps its drawings apart from those of other lives."""
        film = self._figures(draw_film(story.film, f"imagination{mark}"), draw_frames(story.film, f"frames{mark}"))
        unseen = (
            "Nothing was filmed: this life has not come to its end yet, or its agent has no model that imagines observations."
        )
        places = self._figures(draw_places(story.trail, f"places{mark}"))
        unknown = (
            "This life wrote down no trail of where it was; its world has no place in two or three dimensions, or it is older."
        )
        return [
            _ran(story),
            Section("Imagination against reality", *(film or [paragraph(unseen, note=True)])),
            Section("Where it went, and where it doubted", *(places or [paragraph(unknown, note=True)])),
            _events(story),
        ]


def _how_examined(known: dict[str, dict[str, Any]]) -> list[Markup]:
    told = [
        f"{name} was examined at its save of decision {found['clock']:,},"
        f" in {found['episodes']} episodes of each task. {found['note']}"
        for name, found in known.items()
    ]
    return [paragraph(sentence) for sentence in told]


def _faults(story: Story) -> list[Markup]:
    return [paragraph(fault, note=True) for fault in story.faults]


def _ran(story: Story) -> Section:
    """What was run, and how to repeat it."""
    description = story.description
    rows = description.get("rows", 1)
    state = "came to its end" if story.clock >= story.end else f"stands before its end at {story.end * rows:,}"
    lived, seeds = counted(story.clock * rows, "decision"), counted(len(story.seeds), "seed")
    told = f"{lived} of each seed were lived, with {seeds}; the life {state}."
    content = [*_faults(story), paragraph(told)]
    if description.get("command"):
        content += [paragraph("This command repeats it:"), code(str(description["command"]))]
    elif description:
        content.append(paragraph("It was begun from Python; the expression below is the whole of it."))
    if story.clock < story.end:
        content += [paragraph("This one goes on with it:"), code(f"umwelt resume {story.path}")]
    facts = {"seeds": ", ".join(str(seed) for seed in story.seeds) or "-", **_texts(description.get("versions"))}
    facts |= _texts(description.get("machine") or {"machine": "not written down"})
    rows_ = tuple(facts.items())
    content.append(table(Table(caption="Seeds, versions and machine", heads=("what", "value"), rows=rows_), words=True))
    if description.get("life"):
        content.append(folded("The recipe, every setting", code(expression(description["life"]))))
    return Section("What was run", *content)


def _texts(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _events(story: Story) -> Section:
    events = story.events
    if not len(events["clock"]):
        return Section("Events", paragraph("Nothing out of the ordinary was written down."))
    shown = range(max(0, len(events["clock"]) - EVENTS), len(events["clock"]))
    rows = tuple(
        (f"{int(events['clock'][row]):,}", str(int(events["seed"][row])), str(events["name"][row]), str(events["message"][row]),
         _moment(events["wall"][row]))
        for row in shown
    )  # fmt: skip
    left = len(events["clock"]) - len(rows)
    caption = f"The last {len(rows)} of {len(rows) + left:,} events" if left else "Everything that happened"
    return Section(
        "Events", table(Table(caption=caption, heads=("decision", "seed", "event", "what", "when"), rows=rows), words=True)
    )


def _moment(wall: Any) -> str:
    return datetime.datetime.fromtimestamp(float(wall)).strftime("%Y-%m-%d %H:%M:%S") if wall == wall else "-"
