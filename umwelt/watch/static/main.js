// The page: what is chosen, and a look at the server every two seconds while somebody sees it.

import { Refusal, ask } from "/ask.js";
import { keys } from "/chart.js";
import { Curves } from "/curves.js";
import { Episode } from "/episode.js";
import { Matrix } from "/matrix.js";
import { Returns } from "/returns.js";
import { Shelf } from "/shelf.js";
import { count, make, number } from "/shown.js";

const EVERY = 2000, MOST_COMPARED = 6;
const NO_METRIC = { name: "reward", meaning: "" };
const at = (id) => document.getElementById(id);

// the token is in a cookie by now, and need not stay where others can read it
history.replaceState(null, "", location.pathname + location.hash);

const chosen = { name: decodeURIComponent(location.hash.slice(1)), window: null, seed: null, metric: "reward" };
let life = null, seen = {}, states = {}, waiting = null, busy = false, again = false, drawing = false, wanted = null;

const shelf = new Shelf((name) => choose(name), () => refresh(true));
const curves = new Curves(look);
const returns = new Returns(look, () => refresh(true));
const episode = new Episode(), matrix = new Matrix();

function choose(name) {
  if (name === chosen.name && life) return;
  Object.assign(chosen, { name, window: null, seed: null });
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  [life, seen] = [null, {}];
  refresh(true);
}

// Look at the clocks from begin to end in both charts; null for the whole life.
function look(begin, end) {
  chosen.window = begin === null ? null : [begin, Math.max(end, begin + 10)];
  redraw(true);
}

function span() {
  return chosen.window ?? [0, Math.max(life.clock, shelf.farthest, 1)];
}

function move(how) {
  if (!life) return;
  const [begin, end] = span(), wide = end - begin;
  const step = { earlier: [-wide / 4, -wide / 4], later: [wide / 4, wide / 4], closer: [wide / 4, -wide / 4], farther: [-wide / 2, wide / 2] }[how];
  if (how === "whole") return look(null);
  const moved = [Math.max(0, Math.round(begin + step[0])), Math.round(end + step[1])];
  const last = Math.max(life.clock, shelf.farthest);
  if (moved[0] === 0 && moved[1] >= last) return look(null);
  look(moved[0], Math.min(moved[1], last));
}

async function refresh(now = false) {
  clearTimeout(waiting);
  if (busy) { again ||= now; return; }
  busy = true;
  try {
    await step(now);
    await lost("");
  } catch (error) {
    await lost(error instanceof TypeError ? "The server does not answer; the page goes on when it does." : error.message);
  }
  busy = false;
  if (again) { again = false; refresh(true); return; }
  if (!document.hidden) waiting = setTimeout(refresh, EVERY);
}

async function step(now) {
  const { lives, folder } = await ask("lives");
  at("where").textContent = folder;
  if (!lives.some(({ name }) => name === chosen.name)) chosen.name = (lives.find(({ state }) => state === "running") ?? lives[0])?.name ?? "";
  shelf.show(lives, chosen.name);
  announce(lives);
  at("life").hidden = !chosen.name;
  document.title = chosen.name ? `${chosen.name} · lives` : "Lives";
  if (!chosen.name) return;
  const told = await ask("life", { name: chosen.name });
  if (told.name !== chosen.name) return;
  life = told;
  head(told);
  at("cards").hidden = !told.metrics;
  if (!told.metrics) return;
  controls(told);
  await Promise.all([redraw(now),
    when("glimpses", told.glimpses.concat(told.clock), () => episode.show(told), (why) => episode.fail(why)),
    when("probes", told.probes, () => matrix.show(told.name), (why) => matrix.fail(why)),
    when("events", told.events, () => events(told.name), (why) => at("events").replaceChildren(make("li", { className: "none" }, why)))]);
}

// Ask again only for what has changed since it was asked for. What cannot be told is said where it would stand, and the
// rest of the page goes on.
async function when(what, stamp, act, fail) {
  const text = JSON.stringify([life.name, stamp]);
  if (seen[what] === text) return;
  try {
    await act();
    seen[what] = text;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.message);
  }
}

// One drawing at a time, and what was asked for meanwhile comes after it, so that an old answer never covers a new one.
async function redraw(now) {
  wanted = (wanted ?? false) || now;
  if (drawing) return;
  drawing = true;
  try {
    while (wanted !== null && life?.metrics) {
      const fresh = wanted;
      wanted = null;
      await charts(fresh);
    }
  } catch (error) {
    lost(error.message);
  }
  wanted = null;
  drawing = false;
}

async function charts(now) {
  const metric = life.metrics.find(({ name }) => name === chosen.metric) ?? life.metrics[0] ?? NO_METRIC;
  const names = [life.name, ...shelf.compared].slice(0, MOST_COMPARED + 1);
  const window = span();
  if (now) seen.charts = seen.returns = "";
  const live = chosen.window && chosen.window[1] < life.clock && names.length === 1 ? 0 : life.clock;
  at("meaning").textContent = metric.unit ? `${metric.meaning} (${metric.unit})` : metric.meaning;
  await Promise.all([
    when("charts", [live, window, metric.name, names], () => curves.show(names, metric, chosen.seed, window), (why) => curves.chart.fail(why)),
    when("returns", [live, window, life.probes], () => returns.show(life.name, life.tasks, chosen.seed, window), (why) => returns.chart.fail(why)),
  ]);
}

function head(told) {
  const damaged = told.state === "damaged";
  at("name").textContent = told.name;
  at("state").textContent = told.state;
  at("state").className = `state ${told.state}`;
  const trouble = [told.trouble, ...told.faults ?? []].filter(Boolean).join(" · ");
  at("trouble").hidden = !trouble;
  at("trouble").textContent = trouble;
  at("resume").textContent = told.resume;
  at("made").textContent = told.world ? `${told.agent} in ${told.world}` : "";
  at("go-on").hidden = damaged;
  const bar = at("progress");
  bar.hidden = damaged;
  bar.setAttribute("aria-valuemax", told.end);
  bar.setAttribute("aria-valuenow", told.clock);
  bar.firstElementChild.style.width = `${Math.min(100, (100 * told.clock) / Math.max(told.end, 1))}%`;
  const rate = told.state === "running" && told.rate ? told.rate : null;
  facts(at("facts"), told.metrics ? [["decisions of each row", told.end ? `${count(told.clock)} of ${count(told.end)}` : count(told.clock)],
    ...told.seeds.length ? [["seeds", told.seeds.join(", ")]] : [],
    ...rate ? [["decisions each second", number(rate * (told.rows ?? 1), 3)], ["time left", time((told.end - told.clock) / rate)]] : [],
    ["probes", count(told.probes[0])]] : []);
  facts(at("origin"), [["command", told.command || (damaged ? "–" : "a script")], ...Object.entries(told.versions ?? {})]);
}

function facts(root, pairs) {
  root.replaceChildren(...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
}

function controls(told) {
  options(at("metric"), told.metrics.map(({ name }) => name), chosen.metric, (value) => { chosen.metric = value; });
  at("seed").parentElement.hidden = !told.seeds.length; // nothing has been lived yet
  if (!told.seeds.includes(chosen.seed)) chosen.seed = told.seeds[0] ?? 0;
  options(at("seed"), told.seeds.map(String), String(chosen.seed), (value) => { chosen.seed = Number(value); });
}

function options(select, names, current, take) {
  if (names.join("\n") !== [...select.options].map(({ value }) => value).join("\n")) {
    select.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
  }
  if (names.includes(current) && select.value !== current) select.value = current;
  select.onchange = () => { take(select.value); refresh(true); };
}

async function events(name) {
  const found = await ask("events", { name });
  at("events").replaceChildren(...found.map(({ clock, name: what, message }) => make("li", {}, make("span", {}, count(clock)), make("b", {}, what), make("span", {}, message))));
  if (!found.length) at("events").replaceChildren(make("li", { className: "none" }, "Nothing out of the ordinary has happened."));
}

// Said aloud when it changes, and only then.
function announce(lives) {
  const changed = lives.filter(({ name, state }) => states[name] && states[name] !== state);
  if (changed.length) at("status").textContent = changed.map(({ name, state }) => `${name} is now ${state}`).join(", ");
  states = Object.fromEntries(lives.map(({ name, state }) => [name, state]));
}

async function lost(message) {
  if (message) at("status").textContent = message;
  else if (at("status").dataset.lost) at("status").textContent = "";
  at("status").dataset.lost = message;
}

function time(seconds) {
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}

for (const how of ["earlier", "later", "closer", "farther", "whole"]) at(how).onclick = () => move(how);
for (const chart of ["curves", "returns"]) keys(at(chart), move);
at("squeezed").onchange = () => refresh(true);
at("copy").onclick = async () => {
  await navigator.clipboard.writeText(at("resume").textContent);
  at("status").textContent = "copied";
};
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
window.addEventListener("hashchange", () => choose(decodeURIComponent(location.hash.slice(1))));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => refresh(true));
refresh(true);
