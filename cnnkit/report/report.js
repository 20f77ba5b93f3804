"use strict";
// Everything here adds to a page that is complete without it: sort, search, filter, read values, zoom, try a threshold.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const facts = JSON.parse(document.getElementById("facts").textContent);
const reading = document.getElementById("reading");
const count = (value) => value.toLocaleString("en-US");
const clamp = (value, low, high) => Math.max(low, Math.min(value, high));

function percent(value) {
  if (value === 0 || value === 1) return `${value * 100} %`;
  if (value < 0.00005 || value > 0.99995) return value < 0.5 ? "<0.01 %" : ">99.99 %";
  return `${(value * 100).toFixed(value > 0.9985 || value < 0.0015 ? 2 : 1)} %`;
}

function wilson(hits, n) {
  const z2 = 1.959963984540054 ** 2, p = hits / n;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = Math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return [hits === 0 ? 0 : centre - half, hits === n ? 1 : centre + half];
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function draw(tag, attributes, ...children) {
  const element = set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  element.append(...children);
  return element;
}

// Shows a text beside a point of a figure, and reads it out; no text takes it away.
function say(text, figure, x, y) {
  reading.hidden = !text;
  if (reading.textContent !== text) reading.textContent = text;
  if (!text) return;
  const at = new DOMPoint(x, y).matrixTransform(figure.getScreenCTM()), box = reading.getBoundingClientRect();
  reading.style.left = `${clamp(at.x + 14, 4, innerWidth - box.width - 6)}px`;
  reading.style.top = `${at.y + 18 + box.height > innerHeight ? at.y - box.height - 12 : at.y + 18}px`;
}

// Where a name stands by what was typed, wholly, at its beginning or within; -1: nothing typed, -2: nothing fits.
function find(names, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return -1;
  const fits = [(name) => name === wanted, (name) => name.startsWith(wanted), (name) => name.includes(wanted)];
  const places = fits.map((fit) => names.findIndex((name) => fit(name.toLowerCase())));
  return places.find((place) => place >= 0) ?? -2;
}
const UNKNOWN = "no class has that name";
const parts = (controls) => ["input[type=search]", "output"].map((each) => controls.querySelector(each));

// ---- tables and pictures

function worth(cell) {
  const text = (cell.dataset.value ?? cell.textContent).trim();
  const number = Number(text.replace(/[,%\s]/g, ""));
  return text === "" || text === "–" ? null : Number.isNaN(number) ? text : number;
}

function sortable(table) {
  const heads = all("thead th:not(:empty)", table), body = table.tBodies[0];
  const compare = (a, b) => typeof a === "number" && typeof b === "number"
    ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  heads.forEach((head) => {
    const button = head.appendChild(Object.assign(document.createElement("button"), { type: "button" }));
    button.append(...[...head.childNodes].filter((node) => node !== button));
    button.addEventListener("click", () => {
      const was = head.getAttribute("aria-sort");
      const up = was ? was === "descending" : !head.classList.contains("number");
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [worth(row.cells[head.cellIndex]), row]);
      // what has no value stays at the end whichever way the others run
      rows.sort(([a], [b]) => (a === null || b === null) ? (a === null) - (b === null) : compare(a, b) * (up ? 1 : -1));
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function filterTable(controls) {
  const [input, output] = parts(controls), rows = [...document.getElementById(controls.dataset.filter).tBodies[0].rows];
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
    output.textContent = wanted ? `${count(rows.filter((row) => !row.hidden).length)} of ${count(rows.length)}` : "";
  });
}

function filterGallery(controls) {
  const pictures = all(".picture", controls.parentElement), [input, output] = parts(controls);
  input.addEventListener("input", () => {
    const wanted = find(facts.labels, input.value);
    const fits = (picture) => wanted === -1 || picture.dataset.classes.split(" ").includes(String(wanted));
    for (const picture of pictures) picture.hidden = !fits(picture);
    for (const fold of all("details", controls.parentElement)) fold.open = wanted !== -1;
    const shown = `${count(pictures.filter((each) => !each.hidden).length)} of ${count(pictures.length)} images`;
    output.textContent = wanted === -1 ? "" : wanted === -2 ? UNKNOWN : `${facts.labels[wanted]}: ${shown}`;
  });
}

// ---- charts of lines: values under the pointer or by the arrow keys; zoom by dragging, by + and -, by buttons

class Chart {
  constructor(svg) {
    this.svg = set(svg, { tabindex: 0 });
    this.plot = svg.querySelector("svg.plot");
    [this.left, this.top, this.width, this.height, ...this.ends] = svg.dataset.plot.split(" ").map(Number);
    this.view = [0, 0, this.width, this.height];
    this.ring = draw("circle", { r: 5, class: "ring", visibility: "hidden" });
    this.box = draw("rect", { class: "box", visibility: "hidden" });
    svg.append(this.ring, this.box);
    this.line = this.at = 0;
    this.pointer();
    this.buttons();
    svg.addEventListener("keydown", (event) => this.key(event));
  }

  get lines() { return all("path.line[class*=series], path.line.chosen", this.plot); }

  points(path) { return path.getAttribute("d").split(/[ML]/).slice(1).map((pair) => pair.split(" ").map(Number)); }

  value([across, down]) {
    const [x0, x1, y0, y1] = this.ends;
    return [x0 + across / this.width * (x1 - x0), y1 - down / this.height * (y1 - y0)];
  }

  place([x, y]) {
    const [x0, x1, y0, y1] = this.ends;
    return [(x - x0) / (x1 - x0) * this.width, (y1 - y) / (y1 - y0) * this.height];
  }

  text(value, axis) {
    const digits = this.view[2] < this.width / 8 ? 3 : 1, share = `${axis}Percent` in this.svg.dataset;
    return share ? `${(value * 100).toFixed(digits)} %` : String(+value.toPrecision(digits + 3));
  }

  outer([across, down]) {
    const [x, y, width, height] = this.view;
    return [this.left + (across - x) / width * this.width, this.top + (down - y) / height * this.height];
  }

  inner(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.plot.getScreenCTM().inverse());
    return [at.x, at.y];
  }

  show(path, point) {
    const [cx, cy] = this.outer(point), [x, y] = this.value(point);
    set(this.ring, { cx, cy, visibility: "visible" });
    const [across, down] = [`${this.svg.dataset.x} ${this.text(x, "x")}`, `${this.svg.dataset.y} ${this.text(y, "y")}`];
    say(`${path.dataset.label}: ${across}, ${down}`, this.svg, cx, cy);
  }

  hide() {
    set(this.ring, { visibility: "hidden" });
    say("");
  }

  nearest([across, down]) {
    const [, , width, height] = this.view;
    let best = [40];
    this.lines.forEach((path, line) => this.points(path).forEach((point, at) => {
      const far = Math.hypot((point[0] - across) / width * this.width, (point[1] - down) / height * this.height);
      if (far < best[0]) best = [far, path, point, line, at];
    }));
    return best;
  }

  zoom(view) {
    const whole = view[2] >= this.width && view[3] >= this.height;
    this.view = whole ? [0, 0, this.width, this.height] : view;
    set(this.plot, { viewBox: this.view.join(" "), overflow: whole ? "visible" : "hidden" });
    for (const tick of all(".tick", this.svg)) {
      const axis = tick.classList.contains("across") ? 0 : 1;
      const part = axis ? (tick.getAttribute("y") - 4 - this.top) / this.height
        : (tick.getAttribute("x") - this.left) / this.width;
      tick.dataset.whole ??= tick.textContent;
      const value = this.value([0, 1].map((at) => this.view[at] + part * this.view[at + 2]))[axis];
      tick.textContent = whole ? tick.dataset.whole : this.text(value, "xy"[axis]);
    }
    this.hide();
  }

  scale(factor, centre) {
    const limits = [this.width, this.height];
    const middle = centre ?? [0, 1].map((at) => this.view[at] + this.view[at + 2] / 2);
    const sizes = limits.map((limit, at) => Math.min(this.view[at + 2] * factor, limit));
    const starts = limits.map((limit, at) => {
      const share = (middle[at] - this.view[at]) / this.view[at + 2];
      return clamp(middle[at] - share * sizes[at], 0, limit - sizes[at]);
    });
    this.zoom([...starts, ...sizes]);
  }

  pointer() {
    let start = null;
    this.svg.addEventListener("pointerdown", (event) => {
      start = event.pointerType === "mouse" ? this.inner(event) : null;
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (start) return this.select(start, this.inner(event));
      const [, path, point, line, at] = this.nearest(this.inner(event));
      if (path) [this.line, this.at] = [line, at];
      return path ? this.show(path, point) : this.hide();
    });
    addEventListener("pointerup", (event) => {
      if (!start) return;
      const chosen = this.select(start, this.inner(event));
      start = null;
      set(this.box, { visibility: "hidden" });
      if (chosen[2] > 6 && chosen[3] > 6) this.zoom(chosen);
    });
    for (const leaving of ["pointerleave", "blur"]) this.svg.addEventListener(leaving, () => this.hide());
    this.svg.addEventListener("dblclick", () => this.scale(Infinity));
  }

  select(...ends) {
    const low = [0, 1].map((at) => Math.min(ends[0][at], ends[1][at]));
    const high = [0, 1].map((at) => Math.max(ends[0][at], ends[1][at]));
    const [a, b] = [this.outer(low), this.outer(high)];
    set(this.box, { x: a[0], y: a[1], width: b[0] - a[0], height: b[1] - a[1], visibility: "visible" });
    return [...low, high[0] - low[0], high[1] - low[1]];
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }, turns = { ArrowUp: -1, ArrowDown: 1 };
    const zooms = { "+": 0.5, "=": 0.5, "-": 2, 0: Infinity }, lines = this.lines;
    if (!lines.length || !(event.key in { ...steps, ...turns, ...zooms })) return;
    event.preventDefault();
    this.line = (this.line + (turns[event.key] ?? 0) + lines.length) % lines.length;
    const path = lines[this.line], points = this.points(path);
    this.at = clamp(this.at + (steps[event.key] ?? 0) * (event.shiftKey ? 10 : 1), 0, points.length - 1);
    if (event.key in zooms) this.scale(zooms[event.key], points[this.at]);
    if (points.length) this.show(path, points[this.at]);
  }

  buttons() {
    const bar = Object.assign(document.createElement("div"), { className: "zoom" });
    const chart = this.svg.querySelector("title").textContent;
    for (const [sign, label, factor] of [["+", "Zoom in", 0.5], ["−", "Zoom out", 2], ["1:1", "Whole", Infinity]]) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: sign });
      set(button, { title: label, "aria-label": `${label}: ${chart}` });
      button.addEventListener("click", () => this.scale(factor));
      bar.append(button);
    }
    this.svg.after(bar);
  }
}

function pickCurve(controls) {
  const paths = all("path.line", document.getElementById(controls.dataset.pick)), [input, output] = parts(controls);
  input.addEventListener("input", () => {
    const found = find(paths.map((path) => path.dataset.label), input.value);
    paths.forEach((path, at) => path.classList.toggle("chosen", at === found));
    output.textContent = found === -2 ? UNKNOWN : paths[found]?.dataset.label ?? "";
  });
}

// ---- the threshold: precision and recall move together

function slider(controls) {
  const { at, answered, right, total, noun } = facts.thresholds, chart = charts.get("threshold-curve");
  const [search, output] = parts(controls), range = controls.querySelector("[type=range]");
  const marker = chart.plot.appendChild(draw("line", { class: "marker", y1: 0, y2: chart.height }));
  const [precision, recall] = all("path.line", chart.plot), band = chart.plot.querySelector(".band");
  const text = (point) => chart.place(point).map((part) => part.toFixed(1)).join(" ");
  const curve = (points) => points.length ? `M${points.map(text).join("L")}` : "";
  range.max = at.length - 1;

  function redraw() {
    const row = Math.max(0, find(facts.labels, search.value) + 1);
    const steps = at.map((_, step) => step).filter((step) => answered[row][step] > 0);
    const ends = steps.map((step) => wilson(right[row][step], answered[row][step]));
    const edge = (side) => steps.map((step, k) => [at[step], ends[k][side]]);
    precision.setAttribute("d", curve(steps.map((step) => [at[step], right[row][step] / answered[row][step]])));
    recall.setAttribute("d", curve(at.map((each, step) => [each, right[row][step] / Math.max(1, total[row])])));
    band.setAttribute("d", curve([...edge(0), ...edge(1).reverse()]));
    move();
  }

  function move() {
    const wanted = find(facts.labels, search.value), row = Math.max(0, wanted + 1), step = +range.value;
    const [n, hits, of] = [answered, right].map((each) => each[row][step]).concat(total[row]);
    const [x] = chart.place([at[step], 0]);
    set(marker, { x1: x, x2: x });
    const who = wanted === -1 ? "All classes" : wanted === -2 ? `All classes (${UNKNOWN})` : facts.labels[wanted];
    const sure = n ? `${percent(hits / n)} (${wilson(hits, n).map(percent).join(" to ")})` : "none, without an answer";
    const found = of ? percent(hits / of) : `none, without ${noun}`;
    output.textContent = `${who}, from confidence ${at[step]}: precision ${sure}, recall ${found}. `
      + `${count(n)} answered, ${count(hits)} of them right, of ${count(of)} ${noun}.`;
    range.setAttribute("aria-valuetext", output.textContent);
  }
  range.addEventListener("input", move);
  search.addEventListener("input", redraw);
  redraw();
}

// ---- confusions: any class with those it is taken for, and a map of all

function confusions(controls) {
  const [input, output] = parts(controls), grid = document.getElementById("grid"), first = grid.firstElementChild;
  const cells = facts.cells.flatMap((_, at, flat) => at % 3 ? [] : [flat.slice(at, at + 3)]);
  const counts = new Map(cells.map(([label, predicted, n]) => [`${label} ${predicted}`, n]));
  const totals = new Map();
  for (const [label, , n] of cells) totals.set(label, (totals.get(label) ?? 0) + n);
  const wrong = cells.filter(([label, predicted]) => label !== predicted).sort((a, b) => b[2] - a[2]);
  const each = (cell, side) => `${facts.names[cell[side]]} (${count(cell[2])})`;
  const named = (list, side) => list.slice(0, 3).map((cell) => each(cell, side)).join(", ");

  function look(own) {
    const taken = wrong.filter(([label]) => label === own), lent = wrong.filter(([, predicted]) => predicted === own);
    const partners = [...taken, ...lent].sort((a, b) => b[2] - a[2]).map(([a, b]) => a === own ? b : a);
    grid.replaceChildren(drawGrid([...new Set([own, ...partners])].slice(0, 20)));
    const right = `${count(counts.get(`${own} ${own}`) ?? 0)} of ${count(totals.get(own) ?? 0)} right`;
    output.textContent = `${facts.names[own]}: ${right}; taken for ${named(taken, 1) || "no other class"}; `
      + `others taken for it: ${named(lent, 0) || "none"}.`;
  }

  // the same marks as the grid that came with the page
  function drawGrid(classes) {
    const names = classes.map((at) => facts.names[at]), side = clamp(480 / classes.length, 20, 46);
    const short = classes.map((at) => facts.short[at]);
    const extent = side * classes.length, room = 24 + 7 * Math.max(...short.map((name) => name.length));
    const size = { width: room + extent + 50, height: room + extent + 6 }, viewBox = `0 0 ${size.width} ${size.height}`;
    const svg = draw("svg", { class: "figure confusion", role: "img", viewBox, ...size });
    const text = (kind, place, ...content) => svg.append(draw("text", { class: kind, ...place }, ...content));
    svg.setAttribute("aria-label", `Confusions of ${names[0]}`);
    text("label", { x: room + extent / 2, y: 12 }, "Predicted");
    text("label", { transform: `translate(12 ${room + extent / 2}) rotate(-90)` }, "True");
    svg.append(draw("rect", { class: "frame", x: room, y: room, width: extent, height: extent }));
    short.forEach((name, at) => {
      const middle = room + side * (at + 0.5) + 4, upward = `translate(${middle} ${room - 6}) rotate(-60)`;
      text("name", { x: room - 6, y: middle }, name, draw("title", {}, names[at]));
      text("name upward", { transform: upward }, name, draw("title", {}, names[at]));
    });
    classes.forEach((label, row) => classes.forEach((predicted, column) => {
      const n = counts.get(`${label} ${predicted}`), share = n / totals.get(label);
      if (!n) return;
      const [x, y] = [column, row].map((at) => room + side * at), level = clamp(Math.ceil(Math.sqrt(share) * 6), 1, 6);
      const middle = { x: x + side / 2, y: y + side / 2 + 4 };
      svg.append(draw("g", { class: `cell ${row === column ? "right" : "wrong"} level-${level}` },
        draw("title", {}, `${names[row]} predicted as ${names[column]}: ${count(n)} (${percent(share)})`),
        draw("rect", { x: x + 0.5, y: y + 0.5, width: side - 1, height: side - 1 }),
        draw("text", { class: "count", ...middle }, n),
        draw("text", { class: "share", ...middle }, share < 0.005 ? "<1" : (share * 100).toFixed(0))));
    }));
    return svg;
  }

  function search() {
    const wanted = find(facts.names, input.value);
    if (wanted >= 0) return look(wanted);
    grid.replaceChildren(first);
    output.textContent = wanted === -2 ? UNKNOWN : "";
  }
  input.addEventListener("input", search);
  controls.querySelector("button").addEventListener("click", () => { input.value = ""; search(); });
  const map = document.getElementById("confusion-map");
  if (map && wrong.length) wholeMap(map, wrong, (own) => { input.value = facts.names[own]; search(); });
}

// What lies under the pointer; the arrow keys step through the confusions, the largest first.
function wholeMap(map, cells, look) {
  const image = map.querySelector("image"), classes = +map.dataset.classes, side = image.width.baseVal.value;
  const ring = set(map, { tabindex: 0 }).appendChild(draw("circle", { class: "ring", r: 6, visibility: "hidden" }));
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  let here = -1;
  function show(at) {
    here = at;
    const [label, predicted, n] = cells[at];
    const [cx, cy] = [predicted, label].map((each) => 18 + (each + 0.5) / classes * side);
    set(ring, { cx, cy, visibility: "visible" });
    say(`${facts.names[label]} taken for ${facts.names[predicted]}: ${count(n)} of its images`, map, cx, cy);
  }
  map.addEventListener("pointermove", (event) => {
    const box = image.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * classes, y = (event.clientY - box.top) / box.height * classes;
    const far = cells.map(([label, predicted]) => Math.hypot(label + 0.5 - y, predicted + 0.5 - x));
    const best = far.reduce((found, value, at) => value < far[found] ? at : found, 0);
    if (far[best] < classes / 25) show(best);
  });
  map.addEventListener("click", () => here >= 0 && look(cells[here][0]));
  for (const leaving of ["pointerleave", "blur"]) map.addEventListener(leaving, () => say(""));
  map.addEventListener("keydown", (event) => {
    if (event.key in steps) show((here + steps[event.key] + cells.length) % cells.length);
    else if (event.key === "Enter" && here >= 0) look(cells[here][0]);
    else return;
    event.preventDefault();
  });
}

for (const element of all(".controls[hidden], .script-only[hidden]")) element.hidden = false;
all("table.sortable").forEach(sortable);
const charts = new Map(all("svg[data-plot]").map((svg) => [svg.id, new Chart(svg)]));
const jobs = { filter: filterTable, gallery: filterGallery, pick: pickCurve, threshold: slider, confusion: confusions };
for (const [name, job] of Object.entries(jobs)) all(`[data-${name}]`).forEach(job);
