// Numbers, shares and times as people read them.

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const MINUS = "\u2212";

export function count(n) {
  // Adding 0 makes −0 of empty sums a plain 0.
  return n === null || n === undefined ? "–" : whole.format(n + 0).replace("-", MINUS);
}

/** Four digits, or as many as asked for. */
export function number(x, digits = 4) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  const size = Math.abs(x);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return x.toExponential(2).replace("-", MINUS);
  const text = Number.isInteger(x) && size < 1e7 ? String(x + 0) : String(Number(x.toPrecision(digits)));
  return text.replace("-", MINUS);
}

export function signed(x, digits = 3) {
  if (x === null || x === undefined || !Number.isFinite(x)) return "–";
  return x > 0 ? `+${number(x, digits)}` : number(x, digits);
}

export function percent(share, digits = 0) {
  if (share === null || share === undefined || !Number.isFinite(share)) return "–";
  return `${(share * 100 + 0).toFixed(digits)}%`.replace("-", MINUS);
}

/** A time in the reader's zone, to the second. */
export function time(micros) {
  const date = new Date(micros / 1000);
  const two = (n) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function day(micros) {
  return time(micros).slice(0, 10);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  for (const [unit, size] of [["days", 86400], ["hours", 3600], ["minutes", 60]]) {
    if (Math.abs(seconds) >= 2 * size) return `${number(Math.round((seconds / size) * 10) / 10)} ${unit}`;
  }
  return `${number(Math.round(seconds))} seconds`;
}

/** A method's or parameter's name. */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** `0.12 [0.10, 0.14]`, or that there is not enough to tell. */
export function estimate(it, show = number) {
  if (!it || it.n === 0) return "–";
  if (it.insufficient) return `insufficient evidence (n = ${count(it.n)})`;
  return `${show(it.value)} [${show(it.low)}, ${show(it.high)}]`;
}
