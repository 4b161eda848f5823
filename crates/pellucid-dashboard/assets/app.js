// The shell: which screen is seen, how far the log was read, light or dark.

import { Fault, setToken } from "./api.js";
import { clearCharts } from "./chart.js";
import { h, replace } from "./dom.js";
import { count } from "./format.js";
import { audit } from "./screens/audit.js";
import { cohorts } from "./screens/cohorts.js";
import { drift } from "./screens/drift.js";
import { explorer } from "./screens/explorer.js";
import { global } from "./screens/global.js";
import { jobs } from "./screens/jobs.js";
import { misclassified } from "./screens/misclassified.js";
import { overview } from "./screens/overview.js";
import { prediction } from "./screens/prediction.js";

const SCREENS = {
  overview: ["Overview", overview],
  predictions: ["Predictions", explorer],
  global: ["Global", global],
  drift: ["Drift", drift],
  cohorts: ["Cohorts", cohorts],
  misclassified: ["Misclassified", misclassified],
  jobs: ["Jobs", jobs],
  audit: ["Audit", audit],
  prediction: ["Prediction", prediction],
};
const IN_NAVIGATION = Object.keys(SCREENS).filter((name) => name !== "prediction");
/** What loads longer than this many milliseconds says so. */
const PATIENCE = 200;

const main = document.getElementById("main");
let leaving = new AbortController();

/** Screen and parameters of the address. */
function asked() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { screen: path || "overview", parameters: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

async function show({ keepPlace = false } = {}) {
  const { screen, parameters } = asked();
  const [title, draw] = SCREENS[screen] ?? [];
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  document.title = `${title ?? "Not found"} · Pellucid`;
  navigation(screen === "prediction" ? "predictions" : screen);
  const waiting = setTimeout(() => replace(main, h("p", { class: "loading", role: "status" }, "Loading…")), PATIENCE);
  let content;
  try {
    if (!draw) throw new Fault(404, `there is no screen “${screen}”`);
    content = await draw({ parameters, signal, told, again: () => show({ keepPlace: true }) });
  } catch (fault) {
    if (signal.aborted) return clearTimeout(waiting);
    content = faultShown(fault);
  }
  clearTimeout(waiting);
  if (signal.aborted) return;
  clearCharts();
  replace(main, h("div", { class: "page" }, content));
  main.dataset.screen = screen;
  if (!keepPlace) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function faultShown(fault) {
  if (fault.status === 401) return tokenForm();
  if (!(fault instanceof Fault)) console.error(fault);
  const message = fault instanceof Fault ? fault.message : `the page has a fault: ${fault.message}`;
  const again = h("button", { type: "button", on: { click: () => show() } }, "Try again");
  return h("div", { class: "fault", role: "alert" }, h("h1", {}, "This cannot be shown"), h("pre", {}, message), h("p", { class: "actions" }, again));
}

function tokenForm() {
  const token = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const enter = (event) => {
    event.preventDefault();
    setToken(token.value.trim());
    show();
  };
  const lead = "The server asks for a token with the scope to read. It is kept until this tab is closed.";
  return h("form", { class: "card", on: { submit: enter } },
    h("h1", {}, "Token"), h("p", { class: "lead" }, lead),
    h("p", { class: "actions" }, h("label", {}, "Token", token), h("button", { class: "main" }, "Continue")));
}

function navigation(current) {
  const link = (name) => h("a", { href: `#/${name}`, "aria-current": name === current ? "page" : null }, SCREENS[name][0]);
  replace(document.getElementById("nav"), IN_NAVIGATION.map(link));
}

/** How far the log was read, in the page's head. */
function told(reading) {
  const place = document.getElementById("reading");
  if (!reading) return replace(place);
  if (reading.fault) return replace(place, h("span", { class: "bad", title: reading.fault }, "The log cannot be read further"));
  const damaged = reading.n_damaged > 0 ? h("a", { class: "bad", href: "#/audit" }, `${count(reading.n_damaged)} damaged, `) : null;
  const behind = reading.n_entries > reading.n_read;
  const newer = h("button", { type: "button", class: "quiet", on: { click: () => show({ keepPlace: true }) } }, "Show newer");
  if (behind) replace(place, damaged, `${count(reading.n_read)} of ${count(reading.n_entries)} entries read `, newer);
  else replace(place, damaged, `${count(reading.n_read)} entries`);
}

function theme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => document.documentElement.dataset.theme === "dark";
  const name = () => replace(button, isDark() ? "Light" : "Dark");
  button.setAttribute("aria-label", "Switch between light and dark");
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("pellucid-theme", document.documentElement.dataset.theme);
    } catch {
      // Without storage, it holds for this page.
    }
    name();
    show({ keepPlace: true });
  });
  system.addEventListener("change", () => {
    name();
    show({ keepPlace: true });
  });
  name();
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => show());
theme();
// The first screen leaves the keyboard at the top, where the skip link is.
show({ keepPlace: true });
