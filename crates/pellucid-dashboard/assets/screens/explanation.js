// What an explanation looks like: a waterfall, marked words, a heatmap beside its image.

import { color, figure, isNarrow, short, signedColor } from "../chart.js";
import { h } from "../dom.js";
import { number, signed } from "../format.js";

/** So many features have a bar of their own. */
const MAX_BARS = 12;

/** A waterfall from the base value to the output; bars without a start where the method has no base value. */
export function waterfall(it) {
  const shown = it.features.slice(0, MAX_BARS);
  const narrow = isNarrow();
  const rest = it.features.slice(MAX_BARS).reduce((sum, feature) => sum + feature.attribution, it.other_features);
  const nRest = it.features.length - shown.length + it.n_other_features;
  const bars = shown.map((feature) => ({ ...feature, label: `${short(feature.name, narrow ? 12 : 22)} = ${short(feature.shown, narrow ? 7 : 12)}` }));
  const others = `${nRest} other ${nRest === 1 ? "feature" : "features"}`;
  if (nRest > 0) bars.push({ name: others, shown: "", label: others, attribution: rest });
  const falls = it.base_value !== null;
  const ranges = [];
  let at = falls ? it.output : 0;
  for (const bar of bars) {
    // From the output down: the largest comes first, the base value last.
    ranges.push(falls ? [at - bar.attribution, at] : [0, bar.attribution]);
    if (falls) at -= bar.attribution;
  }
  const colors = bars.map((bar) => color(!it.signed ? "chart" : bar.attribution >= 0 ? "up" : "down"));
  const space = it.output_space ? ` (${it.output_space.replaceAll("_", " ")})` : "";
  const ends = falls ? `from ${number(it.base_value)} without the features to ${number(it.output)}` : "";
  return figure({
    about: `Attributions of ${bars.length} bars, the largest first, ${ends}: the table below has the numbers`,
    height: 56 + 26 * bars.length,
    legend: h("p", { class: "legend" },
      it.signed ? [h("span", {}, h("span", { class: "key up" }), "raises the output"), h("span", {}, h("span", { class: "key down" }), "lowers it")] : "size without a sign",
      falls ? h("span", {}, `base value ${number(it.base_value)} → output ${number(it.output)}`) : null),
    config: {
      type: "bar",
      data: { labels: bars.map((bar) => bar.label), datasets: [{ data: ranges, backgroundColor: colors, borderSkipped: false, barPercentage: 0.8, categoryPercentage: 0.95 }] },
      options: {
        indexAxis: "y",
        scales: {
          x: { title: { display: true, text: `${it.output_name ?? "output"}${space}` }, ticks: { maxTicksLimit: 7 } },
          y: { grid: { display: false }, ticks: { autoSkip: false } },
        },
        plugins: { tooltip: { callbacks: { title: ([hit]) => bars[hit.dataIndex].name, label: (hit) => `${bars[hit.dataIndex].shown} → ${signed(bars[hit.dataIndex].attribution)}` } } },
      },
    },
    alternative: {
      columns: [
        { name: "Feature", value: (feature) => feature.name, cut: true },
        { name: "Value", value: (feature) => feature.shown, number: true },
        { name: "Attribution", value: (feature) => feature.attribution, show: (feature) => signed(feature.attribution, 4), number: true },
        { name: "Standard error", value: (feature) => feature.standard_error, show: (feature) => number(feature.standard_error, 2), number: true },
      ],
      rows: it.features,
    },
  });
}

/** The text with each word's part behind it. */
export function highlight(it) {
  const limit = Math.max(...it.words.map((word) => Math.abs(word.attribution)), Number.MIN_VALUE);
  const marked = it.words.flatMap((word) => {
    const span = h("span", { title: signed(word.attribution) }, word.word);
    const strength = word.attribution / limit;
    span.style.backgroundColor = signedColor(strength * Math.sqrt(Math.abs(strength)));
    if (Math.abs(strength) > 0.85) span.style.color = "#ffffff";
    return [span, " "];
  });
  const more = it.n_other_words > 0 ? h("p", { class: "note" }, `${it.n_other_words} more words are not shown.`) : null;
  const rows = [...it.words].sort((a, b) => Math.abs(b.attribution) - Math.abs(a.attribution)).slice(0, 50);
  return [
    h("div", { class: "text" }, marked),
    ramp(limit), more,
    h("details", {}, h("summary", {}, "As a table"), h("ul", {}, rows.map((word) => h("li", {}, `${word.word}: ${signed(word.attribution)}`)))),
  ];
}

function ramp(limit) {
  return h("p", { class: "legend" }, h("span", {}, `${signed(-limit)}`, h("span", { class: "ramp signed", role: "img", "aria-label": "blue lowers the output, red raises it" }), `${signed(limit)}`));
}

/** The image, the heatmap, and the one on the other. */
export function pictures(it) {
  const { picture } = it;
  const limit = largest(picture.values);
  const heat = heatmap(picture, limit);
  const peak = picture.values.reduce((best, value, index) => (Math.abs(value) > Math.abs(picture.values[best]) ? index : best), 0);
  const where = `strongest at row ${Math.floor(peak / picture.columns) + 1} of ${picture.rows}, column ${(peak % picture.columns) + 1} of ${picture.columns}`;
  const shown = [shot(heat, `heatmap, ${where}`, "Attribution")];
  if (picture.image) {
    const image = bitmap(picture.image);
    shown.unshift(shot(image, "the model's input", "Input"));
    shown.push(shot(over(image, picture, limit), "heatmap over the input", "Both"));
  }
  const reduced = picture.reduced_by > 1 ? ` Each cell is the mean of ${picture.reduced_by} × ${picture.reduced_by}.` : "";
  return [h("div", { class: "pictures" }, shown), ramp(limit), h("p", { class: "note" }, `The heatmap is ${where}.${reduced}`)];
}

/** The 99th percentile of sizes: one bright cell must not hide the others. */
function largest(values) {
  const sizes = values.map(Math.abs).sort((a, b) => a - b);
  return sizes[Math.floor(0.99 * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
}

function shot(canvas, about, caption) {
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", about);
  return h("figure", {}, canvas, h("figcaption", {}, caption));
}

function pixels(columns, rows, at) {
  const canvas = h("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d");
  const data = context.createImageData(columns, rows);
  for (let index = 0; index < columns * rows; index += 1) data.data.set(at(index), index * 4);
  context.putImageData(data, 0, 0);
  return canvas;
}

function heatmap(picture, limit) {
  return enlarged(pixels(picture.columns, picture.rows, (index) => [...channels(picture.values[index] / limit), 255]));
}

function channels(value) {
  return signedColor(value).match(/\d+/g).map(Number);
}

function bitmap({ rows, columns, rgb }) {
  const bytes = atob(rgb);
  return pixels(columns, rows, (index) => [0, 1, 2].map((channel) => bytes.charCodeAt(index * 3 + channel)).concat(255));
}

/** Strong places cover the image, weak ones let it through. */
function over(image, picture, limit) {
  const canvas = h("canvas", { width: Math.max(image.width, 224), height: Math.round((Math.max(image.width, 224) * image.height) / image.width) });
  const context = canvas.getContext("2d");
  const cover = pixels(picture.columns, picture.rows, (index) => {
    const value = Math.max(-1, Math.min(1, picture.values[index] / limit));
    return [...channels(value), Math.round(200 * Math.sqrt(Math.abs(value)))];
  });
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  context.drawImage(cover, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function enlarged(small) {
  const scale = Math.max(1, Math.round(224 / small.width));
  const canvas = h("canvas", { width: small.width * scale, height: small.height * scale });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, canvas.width, canvas.height);
  return canvas;
}
