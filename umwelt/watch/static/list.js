// The list of lives: one is chosen, others may be drawn over its curves.

import { count, make } from "/shown.js";

export class LifeList {
  constructor(choose, compare) {
    [this.choose, this.compare] = [choose, compare];
    this.root = document.getElementById("lives");
    this.none = document.getElementById("none");
    this.compared = new Set();
    this.form = "";
  }

  show(unsorted, chosen) {
    const lives = [...unsorted].sort((a, b) => (b.state === "running") - (a.state === "running"));
    this.farthest = Math.max(0, ...lives.filter(({ name }) => this.compared.has(name)).map(({ clock }) => clock));
    const names = new Set(lives.map(({ name }) => name));
    for (const name of this.compared) if (!names.has(name) || name === chosen) this.compared.delete(name);
    this.none.hidden = lives.length > 0;
    const form = JSON.stringify([lives.map(({ name, state, world, agent }) => [name, state, world, agent]), chosen, [...this.compared]]);
    if (form === this.form) {
      lives.forEach((life, at) => { this.root.children[at].querySelector(".clock").textContent = clock(life); });
      return;
    }
    this.form = form;
    const kept = document.activeElement?.dataset?.key;
    this.root.replaceChildren(...lives.map((life) => this.item(life, life.name === chosen)));
    if (kept) [...this.root.querySelectorAll("[data-key]")].find((each) => each.dataset.key === kept)?.focus();
  }

  item(life, chosen) {
    const state = make("span", { className: `state ${life.state}` }, life.state);
    const made = life.state === "damaged" ? life.trouble : `${life.agent} in ${life.world}`;
    const button = make("button", { type: "button", onclick: () => this.choose(life.name) },
      make("span", { className: "row" }, make("b", {}, life.name), state),
      make("span", { className: "quiet kind" }, made), make("span", { className: "quiet clock" }, clock(life)));
    button.dataset.key = `choose ${life.name}`;
    button.setAttribute("aria-current", chosen ? "true" : "false");
    const item = make("li", { className: chosen ? "chosen" : "" }, button);
    if (!chosen && life.state !== "damaged") {
      const tick = make("input", { type: "checkbox", checked: this.compared.has(life.name) });
      tick.dataset.key = `compare ${life.name}`;
      tick.onchange = () => { this.compared[tick.checked ? "add" : "delete"](life.name); this.form = ""; this.compare(); };
      item.append(make("label", {}, tick, "compare curves"));
    }
    return item;
  }
}

function clock(life) {
  return life.state === "damaged" ? "" : `${count(life.clock)} of ${count(life.end)}`;
}
