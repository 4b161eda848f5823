// Drift: what changed over time.

import { empty, header } from "../dom.js";

export async function drift() {
  return [header("Attribution drift"), empty("Nothing to compare yet.")];
}
