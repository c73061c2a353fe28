// The retention matrix: every task after every lesson. The numbers stand in the cells, so it is its own table.

import { ask } from "/ask.js";
import { count, make, number } from "/shown.js";

// From dark to bright in even steps, for colour-blind eyes too (cividis).
const SHADES = [[0, 34, 78], [49, 68, 107], [102, 105, 112], [149, 143, 120], [203, 186, 105], [254, 232, 56]];
const DENSE = 12;
const ERROR = " A model error is the share of the variance of the next change that the model leaves unexplained: 0 is perfect, 1 as good as guessing.";

export class Matrix {
  constructor() {
    this.root = document.getElementById("matrix");
    this.text = document.getElementById("matrix-text");
    this.kind = document.getElementById("matrix-kind");
    this.kind.onchange = () => this.draw();
    this.found = null;
  }

  async show(name) {
    this.found = await ask("matrix", { name });
    this.draw();
  }

  fail(why) {
    this.found = null;
    this.text.textContent = why;
    this.root.replaceChildren();
  }

  draw() {
    if (!this.found) return;
    const { tasks, lessons, mixed } = this.found;
    if (!tasks.length) {
      this.text.textContent = mixed ? "The seeds of this life had their tasks in different orders." : "It fills as lessons end and probes follow.";
      this.root.replaceChildren();
      return;
    }
    const values = this.found[this.kind.value], fewer = this.kind.value === "errors";
    this.text.textContent = `A row for each lesson, a column for each task; brighter is ${fewer ? "a smaller error" : "a higher return"} on its task. Framed: the task of the lesson.${fewer ? ERROR : ""}`;
    const spans = tasks.map((_, task) => values.map((row) => row[task]).filter((value) => value !== null));
    const head = make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "after the lesson on"), ...tasks.map((task) => make("th", { scope: "col" }, task))));
    const rows = values.map((row, lesson) => make("tr", {},
      make("th", { scope: "row" }, `${lessons[lesson].task}, to ${count(lessons[lesson].end)}`),
      ...row.map((value, task) => cell(value, share(value, spans[task], fewer), tasks[task] === lessons[lesson].task))));
    this.root.replaceChildren(make("table", { className: tasks.length > DENSE ? "matrix dense" : "matrix" }, head, make("tbody", {}, ...rows), this.kept(tasks)));
  }

  // The share of each task that is kept: the return now over the best since its first lesson, both from before it.
  kept(tasks) {
    if (this.kind.value === "errors") return "";
    const cells = tasks.map((task) => make("td", {}, number(this.found.retention[task], 3)));
    return make("tfoot", {}, make("tr", {}, make("th", { scope: "row" }, "kept; 1 forgets nothing"), ...cells));
  }
}

// Where a value lies between the worst and the best of its task.
function share(value, span, fewer) {
  const low = Math.min(...span), high = Math.max(...span);
  const part = high > low ? (value - low) / (high - low) : 1;
  return fewer ? 1 - part : part;
}

function cell(value, part, own) {
  if (value === null) return make("td", { className: "unknown" }, "–");
  const made = make("td", { className: own ? "own" : "" }, number(value));
  const level = Math.max(0, Math.min(1, part)) * (SHADES.length - 1), below = Math.min(Math.floor(level), SHADES.length - 2);
  const mixed = SHADES[below].map((start, index) => Math.round(start + (SHADES[below + 1][index] - start) * (level - below)));
  made.style.backgroundColor = `rgb(${mixed.join(",")})`;
  made.style.color = part < 0.55 ? "#fff" : "#000";
  return made;
}
