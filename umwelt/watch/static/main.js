// The page: what is chosen, and a question to the server every two seconds while the page is visible.

import { Refusal, ask } from "/ask.js";
import { keys } from "/chart.js";
import { Curves } from "/curves.js";
import { Episode } from "/episode.js";
import { Matrix } from "/matrix.js";
import { Returns } from "/returns.js";
import { LifeList } from "/list.js";
import { count, make, number } from "/shown.js";

const EVERY = 2000, MOST_COMPARED = 6;
const NO_METRIC = { name: "reward", meaning: "" };
const at = (id) => document.getElementById(id);

// the token is in a cookie now, and need not stay where others can read it
history.replaceState(null, "", location.pathname + location.hash);

const chosen = { name: decodeURIComponent(location.hash.slice(1)), window: null, seed: null, metric: "reward" };
let life = null, shown = {}, states = {}, waiting = null, busy = false, again = false, drawing = false, wanted = null;

const list = new LifeList((name) => choose(name), () => refresh(true));
const curves = new Curves(look);
const returns = new Returns(look, () => refresh(true));
const episode = new Episode(), matrix = new Matrix();

function choose(name) {
  if (name === chosen.name && life) return;
  Object.assign(chosen, { name, window: null, seed: null });
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  [life, shown] = [null, {}];
  refresh(true);
}

// Look at the clocks from begin to end in both charts; null for the whole life.
function look(begin, end) {
  chosen.window = begin === null ? null : [begin, Math.max(end, begin + 10)];
  redraw(true);
}

function span() {
  return chosen.window ?? [0, Math.max(life.clock, list.farthest, 1)];
}

function move(how) {
  if (!life) return;
  const [begin, end] = span(), wide = end - begin;
  const step = { earlier: [-wide / 4, -wide / 4], later: [wide / 4, wide / 4], closer: [wide / 4, -wide / 4], farther: [-wide / 2, wide / 2] }[how];
  if (how === "whole") return look(null);
  const moved = [Math.max(0, Math.round(begin + step[0])), Math.round(end + step[1])];
  const last = Math.max(life.clock, list.farthest);
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
  list.show(lives, chosen.name);
  announce(lives);
  at("life").hidden = !chosen.name;
  document.title = chosen.name ? `${chosen.name} · lives` : "Lives";
  if (!chosen.name) return;
  const found = await ask("life", { name: chosen.name });
  if (found.name !== chosen.name) return;
  life = found;
  head(found);
  at("cards").hidden = !found.metrics;
  if (!found.metrics) return;
  controls(found);
  await Promise.all([redraw(now),
    when("glimpses", found.glimpses.concat(found.clock), () => episode.show(found), (why) => episode.fail(why)),
    when("probes", found.probes, () => matrix.show(found.name), (why) => matrix.fail(why)),
    when("events", found.events, () => events(found.name), (why) => at("events").replaceChildren(make("li", { className: "none" }, why)))]);
}

// Ask only for what has changed since the last question. A refusal is shown where the answer would stand, and the rest of
// the page goes on.
async function when(what, stamp, act, fail) {
  const text = JSON.stringify([life.name, stamp]);
  if (shown[what] === text) return;
  try {
    await act();
    shown[what] = text;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    fail(error.message);
  }
}

// One drawing at a time; a request meanwhile comes after it, so that an old answer never covers a new one.
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
  const names = [life.name, ...list.compared].slice(0, MOST_COMPARED + 1);
  const window = span();
  if (now) shown.charts = shown.returns = "";
  const live = chosen.window && chosen.window[1] < life.clock && names.length === 1 ? 0 : life.clock;
  at("meaning").textContent = metric.unit ? `${metric.meaning} (${metric.unit})` : metric.meaning;
  await Promise.all([
    when("charts", [live, window, metric.name, names], () => curves.show(names, metric, chosen.seed, window), (why) => curves.chart.fail(why)),
    when("returns", [live, window, life.probes], () => returns.show(life.name, life.tasks, chosen.seed, window), (why) => returns.chart.fail(why)),
  ]);
}

function head(found) {
  const damaged = found.state === "damaged";
  at("name").textContent = found.name;
  at("state").textContent = found.state;
  at("state").className = `state ${found.state}`;
  const trouble = [found.trouble, ...found.faults ?? []].filter(Boolean).join(" · ");
  at("trouble").hidden = !trouble;
  at("trouble").textContent = trouble;
  at("resume").textContent = found.resume;
  at("made").textContent = found.world ? `${found.agent} in ${found.world}` : "";
  at("go-on").hidden = damaged;
  const bar = at("progress");
  bar.hidden = damaged;
  bar.setAttribute("aria-valuemax", found.end);
  bar.setAttribute("aria-valuenow", found.clock);
  bar.firstElementChild.style.width = `${Math.min(100, (100 * found.clock) / Math.max(found.end, 1))}%`;
  const rate = found.state === "running" && found.rate ? found.rate : null;
  facts(at("facts"), found.metrics ? [["decisions of each row", found.end ? `${count(found.clock)} of ${count(found.end)}` : count(found.clock)],
    ...found.seeds.length ? [["seeds", found.seeds.join(", ")]] : [],
    ...rate ? [["decisions each second", number(rate * (found.rows ?? 1), 3)], ["time left", time((found.end - found.clock) / rate)]] : [],
    ["probes", count(found.probes[0])]] : []);
  facts(at("origin"), [["command", found.command || (damaged ? "–" : "a script")], ...Object.entries(found.versions ?? {})]);
}

function facts(root, pairs) {
  root.replaceChildren(...pairs.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))));
}

function controls(found) {
  options(at("metric"), found.metrics.map(({ name }) => name), chosen.metric, (value) => { chosen.metric = value; });
  at("seed").parentElement.hidden = !found.seeds.length; // there are no decisions yet
  if (!found.seeds.includes(chosen.seed)) chosen.seed = found.seeds[0] ?? 0;
  options(at("seed"), found.seeds.map(String), String(chosen.seed), (value) => { chosen.seed = Number(value); });
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

// Screen readers hear a state when it changes, and only then.
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
