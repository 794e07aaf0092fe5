"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = id => document.getElementById(id);
const hidden = { layers: new Set(), runs: new Set() };
const shown = (kind) => data[kind].filter(one => !hidden[kind].has(one.name));

// Curves: colours are layers, dashes are runs.

function swatch(colour, dash) {
  const dashes = { solid: "", dot: "2 3", dash: "7 4", longdash: "11 4", dashdot: "7 3 2 3", longdashdot: "11 3 2 3" };
  return `<svg class="swatch" width="28" height="10" aria-hidden="true"><line x1="0" x2="28" y1="5" y2="5"
    stroke="${colour}" stroke-width="3" stroke-dasharray="${dashes[dash]}"/></svg>`;
}

function toggles(kind, place, picture) {
  for (const one of data[kind]) {
    const chip = document.createElement("label");
    chip.className = "chip";
    chip.innerHTML = `<input type="checkbox" checked>${picture(one)}<span></span>`;
    chip.lastElementChild.textContent = one.name;
    chip.firstElementChild.addEventListener("change", event => {
      event.target.checked ? hidden[kind].delete(one.name) : hidden[kind].add(one.name);
      drawCurves();
      drawHistogram();
    });
    element(place).append(chip);
  }
}

function line(run, layer, column, style) {
  const values = run.columns[column];
  return values && {
    x: run.steps, y: values, mode: run.steps.length > 1 ? "lines" : "markers", connectgaps: false,
    name: [layer?.name, data.runs.length > 1 ? run.name : null].filter(Boolean).join(", ") || "cost",
    line: { color: layer ? layer.colour : run.colour, dash: run.dash, width: 2 }, ...style,
  };
}

function band(run, layer) {
  const at = (key, style) => line(run, layer, `${layer.name}/rate_${key}`, style);
  const color = layer.colour, dash = run.dash;
  const edge = { line: { color, width: 0 }, hoverinfo: "skip" };
  return [
    at("quartile_1", edge),
    at("quartile_3", { ...edge, fill: "tonexty", fillcolor: `${color}30` }),
    at("min", { line: { color, dash, width: 0.7 }, hoverinfo: "skip" }),
    at("max", { line: { color, dash, width: 0.7 }, hoverinfo: "skip" }),
    at("median"),
  ];
}

function curves(key) {
  if (key === "cost") return shown("runs").map(run => line(run, null, "cost"));
  const pairs = shown("runs").flatMap(run => shown("layers").map(layer => [run, layer]));
  if (key === "rates") return pairs.flatMap(([run, layer]) => band(run, layer));
  return pairs.map(([run, layer]) => line(run, layer, `${layer.name}/${key}`));
}

// Of the quartiles, and two decades about them: where a gradient all but vanishes while the rule still moves, the
// greatest rates take any value.
function rateRange() {
  const values = ["quartile_1", "quartile_3"].flatMap(key => shown("runs").flatMap(run =>
    shown("layers").flatMap(layer => run.columns[`${layer.name}/rate_${key}`] ?? []))).filter(value => value > 0);
  const ends = values.map(Math.log10);
  return ends.length ? [ends.reduce((a, b) => Math.min(a, b)) - 2, ends.reduce((a, b) => Math.max(a, b)) + 2] : null;
}

function drawCurves() {
  const figure = data.figures[element("figure").value];
  const axis = {
    logarithmic: { type: "log", exponentformat: "power", nticks: 8 },
    share: { tickformat: ".0%", hoverformat: ".2%" },
    linear: {},
  }[figure.scale];
  const layout = structuredClone(data.layouts.curves);
  Object.assign(layout.yaxis, axis, { title: { text: figure.title } });
  if (figure.key === "rates") layout.yaxis.range = rateRange();
  element("figure-meaning").textContent = figure.meaning;
  element("layer-toggles").hidden = figure.key === "cost";
  Plotly.react("curves", curves(figure.key).filter(Boolean), layout, data.config);
}

// A slider with a button that moves it.

function player(name, last, draw) {
  const slider = element(`${name}-step`), button = element(`${name}-play`);
  let running = null;
  const stop = () => { clearInterval(running); running = null; button.textContent = "▶ play"; };
  slider.max = last;
  slider.addEventListener("input", draw);
  button.addEventListener("click", () => {
    if (running) return stop();
    if (+slider.value === last) slider.value = 0;
    button.textContent = "❚❚ pause";
    running = setInterval(() => {
      slider.value = +slider.value + 1;
      draw();
      if (+slider.value >= last) stop();
    }, 150);
  });
}

// Histograms: densities over the logarithm, so that half octaves of unequal width compare.

const inWords = number => number.toLocaleString("en");
const sum = counts => counts.reduce((before, count) => before + count, 0);

function density(of, position) {
  const counts = of.counts[position];
  const all = sum(counts) + of.zero[position] + of.nonfinite[position];
  const y = counts.map((count, bin) => {
    const width = data.edges[of.first + bin + 1] - data.edges[of.first + bin];
    return all ? count / all / width : 0;
  });
  return { x: data.edges.slice(of.first, of.first + counts.length + 1), y: [...y, 0], all };
}

function chosenHistograms() {
  const column = `${element("histogram-layer").value}/${element("histogram-figure").value}`;
  return shown("runs").filter(run => run.histograms[column]).map(run => [run, run.histograms[column]]);
}

function drawHistogram() {
  if (!element("histograms")) return;
  const position = +element("histogram-step").value, chosen = chosenHistograms();
  element("histogram-at").textContent = `step ${inWords(data.histogram_steps[position])}`;
  const traces = chosen.map(([run, of]) => {
    const { x, y } = density(of, position);
    return { x, y, name: run.name, mode: "lines", line: { shape: "hv", color: run.colour, dash: run.dash, width: 2 },
             fill: "tozeroy", fillcolor: `${run.colour}30`, hovertemplate: "2<sup>%{x:.1f}</sup>: %{y:.1%}<extra></extra>" };
  });
  const layout = { ...structuredClone(data.layouts.histograms), showlegend: data.runs.length > 1 };
  const highest = Math.max(0, ...chosen.flatMap(([, of]) => of.counts.map((_, at) => Math.max(0, ...density(of, at).y))));
  const begin = Math.min(...chosen.map(([, of]) => data.edges[of.shown]));
  const end = Math.max(...chosen.map(([, of]) => data.edges[of.first + of.counts[0].length]));
  Object.assign(layout.xaxis, { range: chosen.length ? [begin - 0.5, end + 0.5] : [-1, 1], tickprefix: "2<sup>",
                                ticksuffix: "</sup>", tickformat: "d" });
  Object.assign(layout.yaxis, { range: [0, 1.05 * highest || 1], tickformat: ".0%" });
  element("histogram-apart").textContent = chosen.map(([run, of]) => apart(run, of, position)).join(" ");
  Plotly.react("histograms", traces, layout, data.config);
}

function apart(run, of, position) {
  const { all } = density(of, position), parts = [`${inWords(of.zero[position])} are 0`];
  const smaller = sum(of.counts[position].slice(0, of.shown - of.first));
  if (smaller) parts.push(`${inWords(smaller)} lie left of the picture`);
  if (of.nonfinite[position]) parts.push(`${inWords(of.nonfinite[position])} are ∞ or NaN`);
  return `${data.runs.length > 1 ? `${run.name}: of` : "Of"} ${inWords(all)} elements ${parts.join(", ")}.`;
}

// One parameter: the recorded numbers, put where the formula has symbols.

const bracketed = text => text.startsWith("−") ? `(${text})` : text;

function drawFollowed() {
  const one = data.followed[+element("element").value], at = +element("followed-step").value;
  const text = value => one.values[value].texts[at];
  const relation = value => `<mo>${one.values[value].relations[at]}</mo>`;
  const filled = numbers => numbers.replace(/@(\d+)@/g, (_, value) => bracketed(text(+value)));
  const math = (kind, inner) => `<math display="block" class="${kind}"><mrow>${inner}</mrow></math>`;
  element("followed-at").textContent = `step ${inWords(one.steps[at])}`;
  element("given").innerHTML = one.given.map(value =>
    math("given-value", `${one.values[value].sign}${relation(value)}<mn>${text(value)}</mn>`)).join("");
  element("equations").innerHTML = one.equations.map(({ value, symbols, numbers }) =>
    math("symbols", `${one.values[value].sign}<mo>=</mo>${symbols}`)
    + math("numbers", `<mo>=</mo>${filled(numbers)}${relation(value)}<mn class="result">${text(value)}</mn>`)).join("");
}

toggles("layers", "layer-toggles", layer => swatch(layer.colour, "solid"));
if (data.runs.length > 1) toggles("runs", "run-toggles", run => swatch("currentColor", run.dash));
element("figure").addEventListener("change", drawCurves);
drawCurves();
if (element("histograms")) {
  for (const { name } of data.layers) element("histogram-layer").add(new Option(name));
  for (const id of ["histogram-layer", "histogram-figure"]) element(id).addEventListener("change", drawHistogram);
  player("histogram", data.histogram_steps.length - 1, drawHistogram);
  drawHistogram();
}
if (element("element")) {
  element("element").addEventListener("change", drawFollowed);
  player("followed", data.followed[0].steps.length - 1, drawFollowed);
  drawFollowed();
}
