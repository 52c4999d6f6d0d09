// Spans of time as kubectl prints them: 45s, 5m30s, 3h20m, 2d4h.

const UNITS = { y: 31_536_000, d: 86_400, h: 3600, m: 60, s: 1 };

/** Prints a number of seconds in the two units that matter at its size. */
export function age(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 120) return `${s}s`;
  const m = Math.floor(s / 60);
  if (m < 10) return two(m, "m", s % 60, "s");
  if (m < 180) return `${m}m`;
  const h = Math.floor(m / 60);
  if (h < 8) return two(h, "h", m % 60, "m");
  if (h < 48) return `${h}h`;
  const d = Math.floor(h / 24);
  if (d < 8) return two(d, "d", h % 24, "h");
  if (d < 730) return `${d}d`;
  const y = Math.floor(d / 365);
  return y < 8 ? two(y, "y", d % 365, "d") : `${y}y`;
}

const two = (a, unit, b, small) => (b ? `${a}${unit}${b}${small}` : `${a}${unit}`);

/** Reads such a span; null when the text is none. */
export function seconds(text) {
  if (!/^(\d+[ydhms])+$/.test(text)) return null;
  let sum = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)([ydhms])/g)) sum += Number(n) * UNITS[unit];
  return sum;
}
