// Returns a sentence for each thing on the page, as the window is now, that a reader cannot see or read.
({ dark }) => {
  const found = new Set(), root = document.documentElement;
  const said = text => `"${text.trim().replace(/\s+/g, " ").slice(0, 40)}"`;
  const isShown = element => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const isCode = element => element.closest("pre") !== null;  // alone may scroll: programs are not broken

  // Colours: WCAG 2.2's contrast, 1 to 21.
  const channels = colour => (colour.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const luminance = colour => channels(colour).slice(0, 3).map(part => part / 255)
    .map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((all, part, at) => all + part * [0.2126, 0.7152, 0.0722][at], 0);
  const contrast = (one, other) => {
    const [low, high] = [one, other].map(luminance).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0.5) return colour;
    }
    return dark ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)";
  };
  const expectContrast = (element, colour, least, what) => {
    const ratio = contrast(colour, ground(element));
    if (ratio < least) found.add(`${what} has a contrast of ${ratio.toFixed(1)}, below ${least}`);
  };

  // Places.
  const isInside = (inner, outer) => inner.left >= outer.left - 1.5 && inner.right <= outer.right + 1.5;
  const overlap = (one, other) => one.left < other.right - 1 && other.left < one.right - 1
    && one.top < other.bottom - 1 && other.top < one.bottom - 1;
  const box = element => {
    let at = element.closest("math") ?? element;
    do at = at.parentElement && ["inline", "contents"].includes(getComputedStyle(at).display) ? at.parentElement : at;
    while (at.parentElement && ["inline", "contents"].includes(getComputedStyle(at).display));
    return at.getBoundingClientRect();
  };

  if (contrast(ground(document.body), "rgb(0, 0, 0)") < 3 !== dark) found.add("the page is not dark in the dark alone");
  if (root.scrollWidth > root.clientWidth) found.add(`the page is ${root.scrollWidth} px wide`);

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data, element = texts.currentNode.parentElement;
    if (!text.trim() || element.closest("script, style, template, svg, select") || !isShown(element)) continue;
    const range = document.createRange(), style = getComputedStyle(element);
    range.selectNodeContents(texts.currentNode);
    const places = [...range.getClientRects()].filter(place => place.width > 0 && place.height > 0);
    if (!isCode(element) && !places.every(place => isInside(place, box(element)))) found.add(`${said(text)} leaves its box`);
    if (!isCode(element) && !places.every(place => isInside(place, { left: 0, right: root.clientWidth }))) {
      found.add(`${said(text)} leaves the window`);
    }
    expectContrast(element, style.color, 4.5, said(text));
    if (!element.closest("math, sub, sup") && parseFloat(style.fontSize) < 13) found.add(`${said(text)} is small`);
  }

  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest("svg, select, input") || isCode(element) || !isShown(element)) continue;
    const { overflowX, overflowY } = getComputedStyle(element);
    const isCut = (overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1)
      || (overflowY === "hidden" && element.scrollHeight > element.clientHeight + 1)
      || (["TD", "TH"].includes(element.tagName) && element.scrollWidth > element.clientWidth + 1);
    if (isCut && element !== document.body) found.add(`${said(element.textContent)} is cut`);
  }

  for (const chart of document.querySelectorAll(".js-plotly-plot")) {
    const whole = chart.getBoundingClientRect(), layout = chart._fullLayout;
    const shown = selector => [...chart.querySelectorAll(selector)].filter(element => isShown(element));
    for (const text of shown("svg text")) {
      const place = text.getBoundingClientRect();
      if (place.top < whole.top - 1.5 || place.bottom > whole.bottom + 1.5 || !isInside(place, whole)) {
        found.add(`${chart.id}: ${said(text.textContent)} leaves the chart`);
      }
      expectContrast(chart, getComputedStyle(text).fill, 4.5, `${chart.id}: ${said(text.textContent)}`);
    }
    for (const line of shown(".scatterlayer .js-line")) {
      const { stroke, strokeWidth } = getComputedStyle(line);
      if (strokeWidth !== "0px") expectContrast(chart, stroke, 3, `${chart.id}: a line in ${stroke}`);
    }
    for (const name of ["xaxis", "yaxis"].flatMap(kind => layout._subplots[kind])) {
      const ticks = shown(`.${name}tick text`), labels = ticks.map(tick => tick.textContent.trim());
      const axis = layout[name.replace(/^./, "$&axis")];
      if (new Set(labels).size < labels.length) found.add(`${chart.id}: ${name} has the ticks ${labels.join(", ")}`);
      if (labels.length < 2 && axis.type !== "category") found.add(`${chart.id}: ${name} has ${labels.length} ticks`);
      const places = ticks.filter(tick => !/rotate\((?!0)/.test(tick.getAttribute("transform") ?? ""))
        .map(tick => tick.getBoundingClientRect());
      if (places.some((one, at) => at && overlap(one, places[at - 1]))) found.add(`${chart.id}: ${name}'s ticks overlap`);
    }
    const written = shown(".xtick text, .ytick text, .x2tick text, .y2tick text").map(tick => tick.getBoundingClientRect());
    for (const title of shown(".g-xtitle text, .g-ytitle text, .g-y2title text")) {
      const place = title.getBoundingClientRect();
      if (written.some(tick => overlap(tick, place))) found.add(`${chart.id}: ${said(title.textContent)} covers a tick's label`);
    }
    const size = layout._size, plot = { left: whole.left + size.l, right: whole.left + size.l + size.w,
                                        top: whole.top + size.t, bottom: whole.top + size.t + size.h };
    if (size.h < 150 || size.w < 150) found.add(`${chart.id} has ${Math.round(size.w)} × ${Math.round(size.h)} px for its data`);
    for (const legend of shown(".legend")) {
      const place = legend.querySelector(".bg").getBoundingClientRect();
      if (overlap(place, plot)) found.add(`${chart.id}: the legend covers the plot`);
      for (const text of legend.querySelectorAll(".legendtext")) {
        const name = text.getBoundingClientRect();
        if (!isInside(name, place) || name.bottom > place.bottom + 2) {
          found.add(`${chart.id}: the legend cuts ${said(text.textContent)}`);
        }
      }
    }
  }
  return [...found];
}
