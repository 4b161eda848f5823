// What the server says. A token, where it asks for one, lives as long as the tab.

const ROOT = new URL("../", document.baseURI);
const TOKEN = "pellucid-token";

export class Fault extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function setToken(token) {
  sessionStorage.setItem(TOKEN, token);
}

/** JSON of a view. */
export function view(name, parameters = {}, signal) {
  return json(`v1/views/${name}`, parameters, { signal });
}

export async function json(path, parameters = {}, options = {}) {
  const response = await ask(path, parameters, options);
  try {
    return await response.json();
  } catch {
    throw new Fault(502, `the answer of ${path} is no JSON`);
  }
}

export async function text(path, options = {}) {
  return (await ask(path, {}, options)).text();
}

async function ask(path, parameters, options) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(name, value);
  }
  const token = sessionStorage.getItem(TOKEN);
  const headers = { ...(options.headers ?? {}), ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  let response;
  try {
    response = await fetch(url, { ...options, headers });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Fault(0, "the server cannot be reached; is `pellucid serve` running?");
  }
  if (!response.ok) throw new Fault(response.status, await message(response));
  return response;
}

async function message(response) {
  const body = await response.text();
  try {
    return JSON.parse(body).error ?? body;
  } catch {
    return body || `the server answered ${response.status}`;
  }
}
