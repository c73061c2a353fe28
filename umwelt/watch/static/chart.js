// A chart over clocks that never holds more than it shows. Drag to look closer; keys and buttons move the window.

import uPlot from "/vendor/uPlot.esm.js";
import { ink, number, short } from "/shown.js";

export class Chart {
  // choose(begin, end) is called after a drag over a stretch, pointed(row or null) when the pointer moves.
  constructor(root, choose, pointed = () => {}) {
    [this.root, this.choose, this.pointed] = [root, choose, pointed];
    this.plot = null;
    this.form = "";
    new ResizeObserver(() => this.fit()).observe(root);
  }

  get points() {
    return Math.max(100, Math.min(1000, Math.round(this.root.clientWidth / 2)));
  }

  // form: a text that changes when the series do. make(): {series, bands, hooks, scale} of uPlot.
  draw(form, data, make, [begin, end], empty) {
    const nothing = data.length < 2 || data[0].length === 0;
    this.root.classList.toggle("empty", nothing);
    this.root.dataset.empty = empty;
    this.window = [begin, end];
    if (form !== this.form || !this.plot) {
      this.plot?.destroy();
      this.plot = nothing ? null : new uPlot(this.options(make()), data, this.root);
      this.form = nothing ? "" : form;
    } else {
      this.plot.setData(data);
    }
    // the browser's own tools show when it was drawn
    performance.clearMarks(this.root.id);
    queueMicrotask(() => performance.mark(this.root.id));
  }

  // A sentence in place of a picture.
  fail(why) {
    this.draw("", [[]], null, [0, 1], why);
  }

  fit() {
    this.plot?.setSize({ width: this.root.clientWidth, height: this.root.clientHeight });
  }

  options({ series, bands = [], hooks = {}, scale = {} }) {
    const axis = { stroke: ink("quiet"), grid: { stroke: ink("line"), width: 1 }, ticks: { stroke: ink("line"), width: 1 }, font: "12px system-ui, sans-serif" };
    return {
      width: this.root.clientWidth,
      height: this.root.clientHeight,
      legend: { show: false },
      padding: [10, 28, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, points: { size: 7 }, y: false },
      scales: { x: { time: false, range: () => [this.window[0], Math.max(this.window[1], this.window[0] + 1)] }, y: { range: (plot, low, high) => room(low, high), ...scale } },
      axes: [
        { ...axis, values: (plot, ticks) => ticks.map(short) },
        { ...axis, size: 64, values: (plot, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick))) },
      ],
      series: [{}, ...series],
      bands,
      hooks: { ...hooks, setSelect: [(plot) => this.dragged(plot)], setCursor: [(plot) => this.pointed(plot.cursor.idx)] },
    };
  }

  dragged(plot) {
    if (plot.select.width < 6) return;
    const begin = plot.posToVal(plot.select.left, "x"), end = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.choose(Math.max(0, Math.round(begin)), Math.round(end));
  }
}

export function room(low, high) {
  if (low === null || high === null || low === undefined) return [0, 1];
  const edge = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - edge, high + edge];
}

// Join tables [clock, values ...] with different clocks to one table over all clocks.
export function joined(tables) {
  const kept = tables.filter((each) => each[0].length);
  return kept.length ? uPlot.join(kept) : [[]];
}

// Arrow keys move the window, + and - narrow and widen it, 0 shows all.
export function keys(element, move) {
  element.addEventListener("keydown", (event) => {
    const action = { ArrowLeft: "earlier", ArrowRight: "later", "+": "closer", "=": "closer", "-": "farther", 0: "whole" }[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(action);
  });
}
