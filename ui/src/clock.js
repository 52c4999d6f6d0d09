// What time it is in the cluster, as it was told last: its clock may stand still, or run.

/** @type {{seconds: number, rate: number, paused: boolean, at: number} | null} */
let told = null;

/** Takes what the site says of the clock; what shows ages hears `kp-time`. */
export function tell({ seconds, rate, paused }, at = performance.now()) {
  told = { seconds, rate, paused, at };
  globalThis.window?.dispatchEvent(new Event("kp-time"));
}

/** Returns the cluster's time in milliseconds, as Date.now() does for this machine. */
export function clusterNow(at = performance.now()) {
  if (!told) return Date.now();
  const passed = told.paused ? 0 : ((at - told.at) / 1000) * told.rate;
  return (told.seconds + passed) * 1000;
}

/** Forgets it: another cluster has another time. */
export function forget() {
  told = null;
}

/** Prints hours, minutes and seconds of a moment: milliseconds, or as an object has it. */
export const timeOfDay = (moment) => new Date(moment).toLocaleTimeString("en-GB");
