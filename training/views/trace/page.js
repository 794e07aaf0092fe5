"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const element = id => document.getElementById(id);
const names = data.layers.map(layer => layer.name);
const hidden = { runs: new Set(), lines: new Set(), bands: new Set(names.slice(1)) };  // bands cover each other
const drawnAs = () => (element("figure").value === "rates" ? "bands" : "lines");
const shownRuns = () => data.runs.filter(run => !hidden.runs.has(run.name));
const shownLayers = () => data.layers.filter(layer => !hidden[drawnAs()].has(layer.name));

// Curves: colours are layers, dashes are runs.

function swatch(colour, dash) {
  const dashes = { solid: "", dot: "2 3", dash: "7 4", longdash: "11 4", dashdot: "7 3 2 3", longdashdot: "11 3 2 3" };
  return `<svg class="swatch" width="28" height="10" aria-hidden="true"><line x1="0" x2="28" y1="5" y2="5"
    stroke="${colour}" stroke-width="3" stroke-dasharray="${dashes[dash]}"/></svg>`;
}

function toggles(all, place, picture, switchedOff) {
  for (const one of all) {
    const chip = document.createElement("label");
    chip.className = "chip";
    chip.innerHTML = `<input type="checkbox" checked>${picture(one)}<span></span>`;
    chip.lastElementChild.textContent = chip.firstElementChild.name = one.name;
    chip.firstElementChild.addEventListener("change", event => {
      event.target.checked ? switchedOff().delete(one.name) : switchedOff().add(one.name);
      drawCurves();
      drawHistogram();
    });
    element(place).append(chip);
  }
}

function line(run, part, key, style) {
  const points = run.steps.length;
  return {
    x: run.steps, y: run.columns[part.place + key], connectgaps: false,
    mode: points > data.few || style ? "lines" : "lines+markers",
    name: [part.name, data.runs.length > 1 ? run.name : null].filter(Boolean).join(", "),
    line: { color: part.colour, dash: run.dash, width: 2 }, ...style,
  };
}

// What has a line of its own: the whole network where it, or all of its layers, have one and the same.
function parts(run, key) {
  const { cost, neutral } = data.colours;
  if (key === "cost") return [{ name: "cost", colour: cost, place: "" }];
  if (run.columns[key]) return [{ name: "all layers", colour: neutral, place: "" }];
  return shownLayers().map(layer => ({ ...layer, place: `${layer.name}/` })).filter(part => run.columns[part.place + key]);
}

function band(run, part) {
  const at = (key, style) => line(run, part, `rate_${key}`, style);
  const color = part.colour, dash = run.dash;
  const edge = { line: { color, width: 0 }, hoverinfo: "skip" };
  return [
    at("quartile_1", edge),
    at("quartile_3", { ...edge, fill: "tonexty", fillcolor: `${color}30` }),
    at("min", { line: { color, dash, width: 0.7 }, hoverinfo: "skip" }),
    at("max", { line: { color, dash, width: 0.7 }, hoverinfo: "skip" }),
    at("median"),
  ];
}

const column = key => (key === "rates" ? "rate_median" : key);

function curves(key) {
  return shownRuns().flatMap(run => parts(run, column(key)).flatMap(part =>
    (key === "rates" ? band(run, part) : [line(run, part, key)])));
}

// The least and the greatest of the values above 0; two zeros where there are none.
function logarithms(values) {
  const all = values.filter(value => value > 0).map(Math.log10);
  return all.length ? [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))] : [0, 0];
}

function ticks(low, high) {
  const isPlain = data.plain[0] <= low && high <= data.plain[1];
  return { nticks: data.ticks.find(([decades]) => high - low < decades)[1], exponentformat: isPlain ? "none" : "power" };
}

// Of the quartiles, and two decades about them: where a gradient all but vanishes while the rule still moves, the
// greatest rates take any value.
function rateRange() {
  const quartiles = shownRuns().flatMap(run => ["rate_quartile_1", "rate_quartile_3"].flatMap(key =>
    parts(run, key).flatMap(part => run.columns[part.place + key])));
  const [low, high] = logarithms(quartiles);
  return [low - 2, high + 2];
}

function drawCurves() {
  const figure = data.figures[element("figure").value], key = column(figure.key);
  const layout = structuredClone(data.layouts.curves);
  const traces = curves(figure.key), range = figure.key === "rates" ? rateRange() : null;
  Object.assign(layout.yaxis, data.axes[figure.scale], { title: { text: figure.title } });
  if (range) layout.yaxis.range = range;
  if (figure.scale === "logarithmic") {
    Object.assign(layout.yaxis, ticks(...range ?? logarithms(traces.flatMap(({ y }) => y))));
  }
  element("figure-meaning").textContent = figure.meaning;
  const isOfLayers = shownRuns().some(run => data.layers.some(layer => run.columns[`${layer.name}/${key}`]));
  element("layer-toggles").hidden = !isOfLayers;
  element("figure-shared").hidden = isOfLayers || key === "cost";
  for (const box of element("layer-toggles").querySelectorAll("input")) box.checked = !hidden[drawnAs()].has(box.name);
  Plotly.react("curves", traces, layout, data.config);
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
  const chosen = `${element("histogram-layer").value}/${element("histogram-figure").value}`;
  return shownRuns().filter(run => run.histograms[chosen]).map(run => [run, run.histograms[chosen]]);
}

function drawHistogram() {
  if (!element("histograms")) return;
  const position = +element("histogram-step").value, chosen = chosenHistograms();
  element("histogram-at").textContent = `step ${inWords(data.histogram_steps[position])}`;
  const { colour } = data.layers.find(layer => layer.name === element("histogram-layer").value);
  const traces = chosen.map(([run, of], number) => {
    const { x, y } = density(of, position);
    return { x, y, name: run.name, mode: "lines", line: { shape: "hv", color: colour, dash: run.dash, width: 2 },
             fill: number ? "none" : "tozeroy", fillcolor: `${colour}30`, hovertemplate: "2<sup>%{x:.1f}</sup>: %{y:.1%}<extra></extra>" };
  });
  const layout = { ...structuredClone(data.layouts.histograms), showlegend: data.runs.length > 1 };
  const highest = Math.max(0, ...chosen.flatMap(([, of]) => of.counts.map((_, at) => Math.max(0, ...density(of, at).y))));
  const begin = Math.min(...chosen.map(([, of]) => data.edges[of.shown]));
  const end = Math.max(...chosen.map(([, of]) => data.edges[of.first + of.counts[0].length]));
  Object.assign(layout.xaxis, { range: chosen.length ? [begin - 0.5, end + 0.5] : [-1, 1], tickprefix: "2<sup>",
                                ticksuffix: "</sup>", tickformat: "d", dtick: Math.max(1, Math.ceil((end - begin) / 8)) });
  Object.assign(layout.yaxis, data.axes.share, { range: [0, 1.05 * highest || 1] });
  element("histogram-apart").textContent = chosen.map(([run, of]) => apart(run, of, position)).join(" ");
  Plotly.react("histograms", traces, layout, data.config);
}

function apart(run, of, position) {
  const { all } = density(of, position), parts = [`${inWords(of.zero[position])} are 0`];
  const smaller = sum(of.counts[position].slice(0, of.shown - of.first));
  if (smaller) parts.push(`${inWords(smaller)} are left of the picture`);
  if (of.nonfinite[position]) parts.push(`${inWords(of.nonfinite[position])} are ∞ or NaN`);
  return `${data.runs.length > 1 ? `${run.name}: of` : "Of"} ${inWords(all)} elements ${parts.join(", ")}.`;
}

// One parameter: the recorded numbers, put where the formula has symbols.

const bracketed = text => text.startsWith("−") ? `(${text})` : text;

function drawFollowed() {
  const one = data.followed[+element("element").value], at = +element("followed-step").value;
  const text = value => one.values[value].texts[at];
  const relation = value => `<mo form="infix">${one.values[value].relations[at]}</mo>`;
  const filled = numbers => numbers.replace(/@(\d+)@/g, (_, value) => bracketed(text(+value)));
  const math = inner => `<span class="term"><math displaystyle="true"><mrow>${inner}</mrow></math></span>`;
  element("followed-at").textContent = `step ${inWords(one.steps[at])}`;
  element("given").innerHTML = one.given.map(value =>
    math(`${one.values[value].sign}${relation(value)}<mn>${text(value)}</mn>`)).join("");
  element("equations").innerHTML = one.equations.map(({ value, symbols, numbers }) =>
    `<div class="formula symbols">${symbols}</div><div class="formula numbers">${filled(numbers)}${
      math(`${relation(value)}<mn class="result">${text(value)}</mn>`)}</div>`).join("");
}

toggles(data.layers, "layer-toggles", layer => swatch(layer.colour, "solid"), () => hidden[drawnAs()]);
if (data.runs.length > 1) toggles(data.runs, "run-toggles", run => swatch("currentColor", run.dash), () => hidden.runs);
element("figure").addEventListener("change", drawCurves);
drawCurves();
if (element("histograms")) {
  for (const { name } of data.layers) element("histogram-layer").add(new Option(name, name));  // else the value lacks its outer spaces
  for (const id of ["histogram-layer", "histogram-figure"]) element(id).addEventListener("change", drawHistogram);
  player("histogram", data.histogram_steps.length - 1, drawHistogram);
  drawHistogram();
}
if (element("element")) {
  element("element").addEventListener("change", drawFollowed);
  player("followed", data.followed[0].steps.length - 1, drawFollowed);
  drawFollowed();
}
