// Returns: episodes, and probes with their intervals, a colour for each task.

import { ask } from "/ask.js";
import { Chart, joined, room } from "/chart.js";
import { COLOURS, colour, count, disclose, make, number, swatch, table } from "/shown.js";

export class Returns {
  constructor(choose, changed) {
    this.chart = new Chart(document.getElementById("returns"), choose);
    this.numbers = document.getElementById("returns-numbers");
    this.legend = document.getElementById("tasks");
    this.changed = changed;
    this.life = "";
    this.hidden = new Set();
    this.tasks = [];
  }

  async show(name, tasks, seed, window) {
    const [begin, end] = window;
    const found = await ask("returns", { name, seed, begin, end, points: Math.min(300, this.chart.points) });
    const all = [...new Set([...tasks, ...Object.keys(found.episodes)])];
    this.choices(name, all);
    const shown = all.filter((task) => !this.hidden.has(task));
    const parts = [];
    for (const task of shown) {
      const index = all.indexOf(task), probes = found.probes[task], episodes = found.episodes[task];
      if (episodes?.clock.length) parts.push({ task, index, probed: false, columns: episodes });
      if (probes?.clock.length) parts.push({ task, index, probed: true, columns: probes });
    }
    const data = joined(parts.map(({ columns }) => [columns.clock, columns.mean]));
    this.parts = parts;
    const form = JSON.stringify([name, parts.map(({ task, probed }) => [task, probed]), colour(0)]);
    this.chart.draw(form, data, () => this.options(), window, "No episode has ended in this window yet.");
    this.chart.root.setAttribute("aria-label", `returns of ${name} on ${shown.join(", ") || "no task"}; the numbers are below`);
    disclose(this.numbers, () => table(["clock", "task", "of", "mean", "lowest", "highest", "model error (unexplained share)"],
      parts.flatMap(rows).sort((a, b) => a.clock - b.clock).map(({ cells }) => cells), 120));
  }

  options() {
    const series = this.parts.map(({ index, probed }) => probed
      ? { stroke: colour(index), width: 2, spanGaps: true, points: { show: true, size: 8, fill: colour(index) } }
      : { stroke: `${colour(index)}90`, paths: () => null, points: { show: true, size: 5, fill: `${colour(index)}90` } });
    return { series, hooks: { draw: [(plot) => this.intervals(plot)] }, scale: { range: () => this.range() } };
  }

  // From the lowest to the highest value, intervals included.
  range() {
    const [begin, end] = this.chart.window;
    let low = Infinity, high = -Infinity;
    for (const { probed, columns } of this.parts) {
      columns.clock.forEach((clock, row) => {
        if (clock < begin || clock > end) return;
        low = Math.min(low, probed ? columns.low[row] : columns.mean[row]);
        high = Math.max(high, probed ? columns.high[row] : columns.mean[row]);
      });
    }
    return low <= high ? room(low, high) : [0, 1];
  }

  intervals(plot) {
    const pen = plot.ctx;
    pen.save();
    pen.beginPath();
    pen.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    pen.clip();
    pen.lineWidth = 3 * devicePixelRatio;
    for (const { index, probed, columns } of this.parts) {
      if (!probed) continue;
      pen.strokeStyle = `${colour(index)}b0`;
      pen.beginPath();
      columns.clock.forEach((clock, row) => {
        const x = plot.valToPos(clock, "x", true);
        pen.moveTo(x, plot.valToPos(columns.low[row], "y", true));
        pen.lineTo(x, plot.valToPos(columns.high[row], "y", true));
      });
      pen.stroke();
    }
    pen.restore();
  }

  // One tick for each task; of many, the first few are shown at first.
  choices(name, tasks) {
    if (name === this.life && tasks.join("\n") === this.tasks.join("\n")) return;
    if (name !== this.life) this.hidden = new Set(tasks.slice(COLOURS));
    else for (const task of tasks.slice(COLOURS)) if (!this.tasks.includes(task)) this.hidden.add(task);
    [this.life, this.tasks] = [name, tasks];
    this.legend.replaceChildren(...tasks.map((task, index) => {
      const tick = make("input", { type: "checkbox", checked: !this.hidden.has(task) });
      tick.onchange = () => { this.hidden[tick.checked ? "delete" : "add"](task); this.changed(); };
      return make("label", {}, tick, swatch(index), task);
    }));
  }
}

function rows({ task, probed, columns }) {
  return columns.clock.map((clock, row) => ({
    clock,
    cells: [count(clock), task, probed ? "probe" : "episodes", number(columns.mean[row]), number(columns.low[row]),
      number(columns.high[row]), probed ? number(columns.model_error[row]) : ""],
  }));
}
