// Numbers for people, and elements made of text: no word of a life is ever read as HTML.

export const COLOURS = 7;

export function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(digits)));
}

export function count(value) {
  return Math.round(value ?? 0).toLocaleString("en-GB");
}

export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))} M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))} k`;
  return String(value);
}

export function colour(index) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--c${index % COLOURS}`).trim();
}

export function ink(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

export function swatch(index) {
  const made = make("span", { className: "swatch" });
  made.style.background = `var(--c${index % COLOURS})`;
  return made;
}

// A table of at most `most` rows, the newest first; heads: names, rows: arrays of texts.
export function table(heads, rows, most = 60) {
  const body = rows.slice(-most).reverse().map((row) =>
    make("tr", {}, ...row.map((cell, at) => make(at ? "td" : "th", at ? {} : { scope: "row" }, cell))));
  return make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}

// Fill a disclosure with a table, but only while it is open.
export function disclose(details, build) {
  const fill = () => { if (details.open) details.querySelector(".scroll").replaceChildren(build()); };
  details.ontoggle = fill;
  fill();
}
