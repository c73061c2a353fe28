// The present episode: a picture of the world, the agent's position, and what it imagined over what then happened.

import { ask } from "/ask.js";
import { count, disclose, make, number, table } from "/shown.js";

const LINES = 4, BEFORE = 30;

export class Episode {
  constructor() {
    this.root = document.getElementById("episode");
    this.text = document.getElementById("episode-text");
    this.numbers = document.getElementById("episode-numbers");
  }

  async show({ name, state, observation_names: names }) {
    const { glimpses, trail } = await ask("glimpse", { name });
    const { now, plan } = glimpses;
    this.text.textContent = summary(now, plan, trail, state === "running");
    const shown = [];
    if (now?.frame) shown.push(picture(name, now));
    const map = positions(now, plan, trail);
    if (map) shown.push(map);
    if (plan) shown.push(...lines(plan, names ?? []));
    this.root.replaceChildren(...shown);
    this.numbers.hidden = !plan;
    if (plan) disclose(this.numbers, () => compared(plan, names ?? []));
  }

  fail(why) {
    this.text.textContent = why;
    this.root.replaceChildren();
    this.numbers.hidden = true;
  }
}

function summary(now, plan, trail, runs) {
  const newest = plan && plan.clock > (now?.clock ?? -1) ? plan : now;
  if (!newest) {
    const why = runs ? "Its episode is shown after some seconds." : "The life was too short to show its last episode.";
    return trail.clock.length ? `The positions of this life. ${why}` : why;
  }
  const when = newest === plan ? "then" : `at decision ${count(plan?.clock)}`;
  const imagined = plan ? ` Dashed: what the agent imagined ${when}, over what then happened.` : "";
  return `Task ${newest.task}, decision ${count(newest.clock)}.${imagined}`;
}

function picture(name, now) {
  const address = `/data/frame?${new URLSearchParams({ name, clock: now.clock })}`;
  return make("figure", {}, make("img", { src: address, alt: `the world at decision ${now.clock}, task ${now.task}` }), make("figcaption", {}, `the world at decision ${count(now.clock)}`));
}

// The positions of the agent, from above: the whole life in dots, this episode as a line, the plan dashed.
function positions(now, plan, trail) {
  const observed = plan?.seen_positions ?? now?.seen_positions ?? [];
  const planned = plan ? [observed[plan.clock - plan.begin], ...plan.plan_positions ?? []].filter(Boolean) : [];
  const before = trail.x.map((x, row) => [x, trail.y[row]]);
  const all = [...before, ...observed, ...planned].filter(([x, y]) => x !== null && y !== null);
  if (!all.length) return null;
  const to = frame(all.map(([x]) => x), all.map(([, y]) => y), 200, 200);
  const dots = before.map(([x, y]) => draw("circle", { class: "before", cx: to.x(x), cy: to.y(y), r: 1.3 }));
  const shapes = [...dots, path(observed, to, "observed"), path(planned, to, "planned")];
  if (observed.length) shapes.push(dot(observed.at(-1), to, "dot"));
  return make("figure", {}, drawing(200, 200, `where the agent was: ${observed.length} positions of this episode, ${before.length} of its life`, shapes),
    make("figcaption", {}, "where it was; the first two coordinates"));
}

// The observed numbers that varied most, with the plan beside each. names: of the numbers, or none.
function lines(plan, names) {
  if (!plan.seen?.length) return [];
  const at = plan.clock - plan.begin, from = Math.max(0, at - BEFORE);
  const width = plan.seen[0].length;
  const spread = [...Array(width).keys()].map((index) => ({ index, size: variation(plan.seen.map((row) => row[index])) }));
  const chosen = spread.filter(({ size }) => size > 1e-9).sort((a, b) => b.size - a.size).slice(0, LINES).map(({ index }) => index).sort((a, b) => a - b);
  return chosen.map((index) => {
    const observed = plan.seen.slice(from).map((row, step) => [from + step, row[index]]);
    const planned = [[at, plan.seen[at]?.[index] ?? null], ...plan.plan.map((row, step) => [at + 1 + step, row[index]])].filter(([, y]) => y !== null);
    const all = [...observed, ...planned];
    const to = frame(all.map(([x]) => x), all.map(([, y]) => y), 240, 120);
    const now = draw("line", { class: "now", x1: to.x(at), x2: to.x(at), y1: 0, y2: 120 });
    const off = error(plan, index, at), heights = all.map(([, y]) => y);
    const called = names[index] ?? `observed number ${index}`;
    const range = `from ${number(Math.min(...heights), 3)} to ${number(Math.max(...heights), 3)}`;
    return make("figure", {}, drawing(240, 120, `${called}, ${range}: observed and imagined, mean difference ${off}`, [now, path(observed, to, "observed"), path(planned, to, "planned")]),
      make("figcaption", {}, `${called}, ${range}; off by ${off}`));
  });
}

function compared(plan, names) {
  const at = plan.clock - plan.begin, width = plan.plan[0]?.length ?? 0;
  const heads = ["clock", ...[...Array(width).keys()].flatMap((index) => [`imagined ${names[index] ?? index}`, `observed ${names[index] ?? index}`])];
  return table(heads, plan.plan.map((row, step) => [count(plan.clock + 1 + step),
    ...row.flatMap((value, index) => [number(value), number(plan.seen?.[at + 1 + step]?.[index])])]));
}

function error(plan, index, at) {
  const gaps = plan.plan.map((row, step) => [row[index], plan.seen[at + 1 + step]?.[index]]).filter(([, observed]) => observed !== undefined);
  return gaps.length ? number(gaps.reduce((sum, [a, b]) => sum + Math.abs(a - b), 0) / gaps.length, 3) : "–";
}

function variation(values) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

// From values to a box of pixels; y grows upwards.
function frame(xs, ys, wide, high) {
  const [left, right, low, top] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)], edge = 8;
  const across = (right - left) || 1, up = (top - low) || 1;
  return { x: (x) => edge + (x - left) / across * (wide - 2 * edge), y: (y) => high - edge - (y - low) / up * (high - 2 * edge) };
}

function path(points, to, kind) {
  return draw("polyline", { class: kind, points: points.map(([x, y]) => `${to.x(x).toFixed(1)},${to.y(y).toFixed(1)}`).join(" ") });
}

function dot([x, y], to, kind) {
  return draw("circle", { class: kind, cx: to.x(x), cy: to.y(y), r: 4 });
}

function drawing(wide, high, label, children) {
  const made = draw("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": label });
  made.append(...children);
  return made;
}

function draw(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
