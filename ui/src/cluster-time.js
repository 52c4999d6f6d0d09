// Keeps the cluster's time known on every page of a cluster: ages are told by its clock, which may stand
// still or run. Pages with a clock to be seen (kp-clock) do so themselves.
import { get } from "./api.js";
import { forget, tell } from "./clock.js";

const ASK_EVERY = 30_000;

let cluster = "";

async function ask() {
  const here = document.querySelector("kp-dock")?.getAttribute("cluster") ?? "";
  if (here !== cluster) forget();
  cluster = here;
  if (!here || document.visibilityState !== "visible" || document.querySelector("kp-clock")) return;
  try {
    const clock = await get(`/api/clusters/${encodeURIComponent(here)}/clock`);
    if (here === cluster && clock?.seconds !== undefined) tell(clock);
  } catch {
    // The page itself says that the cluster does not answer.
  }
}

export function startClusterTime() {
  window.addEventListener("kp-page", ask);
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, ASK_EVERY);
  ask();
}
