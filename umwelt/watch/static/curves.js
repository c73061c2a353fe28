// One metric of one life, or of several, as its mean in a band from its lowest to its highest.

import { ask } from "/ask.js";
import { Chart, joined } from "/chart.js";
import { colour, count, disclose, make, number, swatch, table } from "/shown.js";

export class Curves {
  constructor(choose) {
    this.chart = new Chart(document.getElementById("curves"), choose, (row) => this.point(row));
    this.pointed = document.getElementById("pointed");
    this.data = [[]];
    this.numbers = document.getElementById("curves-numbers");
    this.legend = document.getElementById("curves-legend");
    this.squeezed = document.getElementById("squeezed");
  }

  // names: of lives, the chosen one first. metric: as the life declares it.
  async show(names, metric, seed, [begin, end]) {
    const asked = names.map((name) => ask("series", { name, metric: metric.name, seed, begin, end, points: this.chart.points })
      .then((found) => ({ name, found })).catch((error) => ({ name, error })));
    const answers = await Promise.all(asked);
    const drawn = answers.filter(({ found }) => found && found.clock.length);
    const data = joined(drawn.map(({ found }) => [found.clock, found.low, found.mean, found.high]));
    [this.data, this.drawn] = [data, drawn.map(({ name }) => name)];
    const squeezed = this.squeezed.checked;
    const form = JSON.stringify([drawn.map(({ name }) => [name, names.indexOf(name)]), squeezed, colour(0)]);
    this.chart.draw(form, data, () => options(drawn.map(({ name }) => names.indexOf(name)), squeezed), [begin, end],
      `This window has no ${metric.name} yet.`);
    this.legend.replaceChildren(...answers.map(({ name, error }, at) => make("span", {}, swatch(at), name, error ? ` (${error.message})` : "")));
    this.legend.hidden = names.length < 2 && !answers.some(({ error }) => error);
    const last = drawn.length ? drawn[0].found.mean.at(-1) : null;
    this.chart.root.setAttribute("aria-label", `${metric.name} of ${names.join(", ")}, decisions ${count(begin)} to ${count(end)}, ` +
      `last ${number(last)}; the numbers are below. Arrow keys move the window, plus and minus change its width, 0 shows all.`);
    disclose(this.numbers, () => table(["clock", ...drawn.flatMap(({ name }) => ["lowest", `mean, ${name}`, "highest"])],
      (data[0] ?? []).map((clock, row) => [count(clock), ...data.slice(1).map((column) => number(column[row]))])));
  }

  // Shows the values under the pointer.
  point(row) {
    const clock = this.data[0]?.[row];
    if (clock === undefined) { this.pointed.textContent = ""; return; }
    const values = this.drawn.map((name, at) => [name, ...[1, 2, 3].map((part) => this.data[3 * at + part][row])])
      .filter(([, , mean]) => mean !== null && mean !== undefined)
      .map(([name, low, mean, high]) => `${this.drawn.length > 1 ? `${name} ` : ""}${number(mean)} [${number(low)}, ${number(high)}]`);
    this.pointed.textContent = `at ${count(clock)}: ${values.join("; ")}`;
  }
}

function options(indices, squeezed) {
  const series = [], bands = [];
  for (const index of indices) {
    const base = series.length + 1, line = colour(index);
    const edge = { stroke: "transparent", points: { show: false }, spanGaps: true };
    series.push(edge, { stroke: line, width: 1.75, points: { show: false }, spanGaps: true }, edge);
    bands.push({ series: [base + 2, base], fill: `${line}30` });
  }
  return { series, bands, scale: squeezed ? { distr: 4, asinh: 0.1, range: undefined } : {} };
}
