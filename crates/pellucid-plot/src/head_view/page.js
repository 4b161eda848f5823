"use strict";
(() => {
  const view = document.getElementById("view");
  const nLayers = Number(view.dataset.layers), nHeads = Number(view.dataset.heads);
  const largest = view.dataset.largest.split(" ");
  const weights = Uint8Array.from(atob(view.dataset.weights), (letter) => letter.charCodeAt(0));
  const heads = [...document.querySelectorAll(".head")], chips = [...document.querySelectorAll(".token")];
  const names = chips.map((chip) => chip.title), n = names.length;
  const map = document.querySelector("#map canvas"), patches = document.getElementById("patches");
  const grid = patches && { extra: +patches.dataset.extra, rows: +patches.dataset.rows, columns: +patches.dataset.columns };
  // Names stand beside the map while they can be read.
  const named = n <= 64, side = Math.max(6, Math.min(24, Math.floor(560 / n))), edge = named ? 112 : 0;
  let chosen = (nLayers - 1) * nHeads, token = Number(view.dataset.token), pointed = null;

  const at = (head, row, column) => weights[(head * n + row) * n + column];
  const share = (byte) => (byte / 255) * Number(largest[chosen]);
  const number = (value) => (value < 0.0005 ? "0" : value.toFixed(3));
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const heat = () => [1, 3, 5].map((start) => parseInt(style("--heat").slice(start, start + 2), 16));

  /** How strong a share is drawn: small ones are lifted, or only the largest would be seen. */
  const strength = (share) => 255 * share ** 0.6;
  /** What the chosen token takes from each, as a share of what it takes most. */
  const row = () => {
    const bytes = weights.subarray((chosen * n + token) * n, (chosen * n + token + 1) * n);
    const most = Math.max(...bytes, 1);
    return Array.from(bytes, (byte) => byte / most);
  };

  /** Weights as pixels of one color, the stronger the more of it. */
  function pixels(canvas, width, height, byte) {
    const [r, g, b] = heat();
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d"), image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) image.data.set([r, g, b, byte(i)], 4 * i);
    context.putImageData(image, 0, 0);
  }

  function drawHeads() {
    heads.forEach((button, head) => {
      pixels(button.firstElementChild, n, n, (i) => strength(weights[head * n * n + i] / 255));
      button.title = `Layer ${Math.floor(head / nHeads)}, head ${head % nHeads}: largest weight ${largest[head]}`;
    });
  }

  function fitted(context, name, room) {
    if (context.measureText(name).width <= room) return name;
    let kept = [...name];
    while (kept.length > 1 && context.measureText(kept.join("") + "…").width > room) kept = kept.slice(0, -1);
    return kept.join("") + "…";
  }

  function drawMap() {
    const small = document.createElement("canvas"), ratio = window.devicePixelRatio || 1, size = edge + n * side;
    pixels(small, n, n, (i) => strength(weights[chosen * n * n + i] / 255));
    map.width = map.height = size * ratio;
    map.style.maxWidth = `${size}px`;
    const context = map.getContext("2d");
    context.scale(ratio, ratio);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, edge, edge, n * side, n * side);
    const ink = style("--ink"), quiet = style("--quiet"), accent = style("--accent");
    context.textBaseline = "middle";
    for (let i = 0; named && i < n; i++) {
      const middle = edge + (i + 0.5) * side, size = Math.min(13, side);
      const mark = (is) => { context.fillStyle = is ? ink : quiet; context.font = `${is ? 600 : 400} ${size}px Inter, sans-serif`; };
      mark(i === token);
      context.textAlign = "right";
      context.fillText(fitted(context, names[i], edge - 14), edge - 7, middle);
      mark(pointed && pointed.column === i);
      context.save();
      context.translate(middle, edge - 7);
      context.rotate(-Math.PI / 2);
      context.textAlign = "left";
      context.fillText(fitted(context, names[i], edge - 14), 0, 0);
      context.restore();
    }
    context.strokeStyle = accent;
    context.lineWidth = 1.5;
    context.strokeRect(edge, edge + token * side, n * side, side);
    if (pointed) context.strokeRect(edge + pointed.column * side, edge + pointed.row * side, side, side);
  }

  function drawPatches() {
    if (!grid) return;
    const shares = row().slice(grid.extra);
    pixels(patches.querySelector("canvas"), grid.columns, grid.rows, (i) => strength(shares[i]) * 0.85);
  }

  function tell() {
    document.getElementById("chosen").textContent = `Layer ${Math.floor(chosen / nHeads)}, head ${chosen % nHeads}`;
    const ranked = [...Array(n).keys()].sort((a, b) => at(chosen, token, b) - at(chosen, token, a)).slice(0, 4);
    const whom = ranked.map((column) => `${names[column]} ${number(share(at(chosen, token, column)))}`).join(", ");
    document.getElementById("told").textContent = pointed
      ? `${names[pointed.row]} looks at ${names[pointed.column]}: ${number(share(at(chosen, pointed.row, pointed.column)))}`
      : `${names[token]} looks most at ${whom}. The largest weight of this head is ${largest[chosen]}.`;
  }

  function mark(buttons, index) {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", i === index);
      button.tabIndex = i === index ? 0 : -1;
    });
  }

  function show() {
    mark(heads, chosen);
    mark(chips, token);
    const color = heat().join(" "), shares = row();
    chips.forEach((chip, i) => {
      chip.firstElementChild.style.background = `rgb(${color} / ${(strength(shares[i]) / 255) * 0.6})`;
    });
    drawMap();
    drawPatches();
    tell();
  }

  /** Arrow keys go on from `index`; those that leave the list stay where they are. */
  function moved(event, index, count, width) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -width, ArrowDown: width };
    if (event.key === "Home") return 0;
    if (event.key === "End") return count - 1;
    if (!(event.key in steps)) return null;
    const next = index + steps[event.key];
    return next >= 0 && next < count ? next : index;
  }

  function choosable(buttons, width, get, set) {
    buttons.forEach((button, index) => button.addEventListener("click", () => { set(index); show(); }));
    if (buttons.length === 0) return;
    buttons[0].parentElement.addEventListener("keydown", (event) => {
      const next = moved(event, get(), buttons.length, width);
      if (next === null) return;
      event.preventDefault();
      set(next);
      show();
      buttons[next].focus();
    });
  }

  function place(event) {
    const box = map.getBoundingClientRect(), scale = (edge + n * side) / box.width;
    const [column, row] = [event.clientX - box.left, event.clientY - box.top].map((x) => Math.floor((x * scale - edge) / side));
    return row >= 0 && row < n && column >= 0 && column < n ? { row, column } : null;
  }

  choosable(heads, nHeads, () => chosen, (index) => { chosen = index; });
  choosable(chips, 1, () => token, (index) => { token = index; });
  map.addEventListener("pointermove", (event) => { pointed = place(event); drawMap(); tell(); });
  map.addEventListener("pointerleave", () => { pointed = null; drawMap(); tell(); });
  map.addEventListener("click", (event) => { const to = place(event); if (to) { token = to.row; show(); } });
  if (grid) patches.addEventListener("click", (event) => {
    const box = patches.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * grid.rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * grid.columns);
    token = Math.min(n - 1, grid.extra + row * grid.columns + column);
    show();
  });
  const draw = () => { drawHeads(); show(); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.fonts.ready.then(draw);
  draw();
})();
