// Where nodes and pods stand in a small picture of a cluster: the same for the same data.
const GAP = 2;
const PAD = 1;
const MOST_OF_TRAY = 0.2;

/** Divides a width and height into so many cells as square as they can be: {columns, rows}. */
export function grid(count, width, height) {
  if (count === 0) return { columns: 0, rows: 0 };
  const columns = Math.min(count, Math.max(1, Math.round(Math.sqrt((count * width) / height))));
  return { columns, rows: Math.ceil(count / columns) };
}

/**
 * Returns the boxes of nodes and the squares of pods: {tiles: [{x, y, w, h}], pods: [{x, y, size, letter}]}.
 * `nodes` is [[name, letters]]; the first is of pods without a node and stands at the left.
 */
export function place(nodes, width, height) {
  const [[, waiting], ...rest] = nodes;
  const tiles = [];
  const pods = [];
  let left = 0;
  if (waiting) {
    left = Math.round(width * MOST_OF_TRAY);
    fill(pods, waiting, { x: 0, y: 0, w: left - GAP, h: height });
  }
  const { columns, rows } = grid(rest.length, width - left, height);
  const w = (width - left - GAP * (columns - 1)) / columns;
  const h = (height - GAP * (rows - 1)) / rows;
  rest.forEach(([, letters], index) => {
    const box = { x: left + (index % columns) * (w + GAP), y: Math.floor(index / columns) * (h + GAP), w, h };
    tiles.push(box);
    fill(pods, letters, box);
  });
  return { tiles, pods };
}

/** Puts pods into a box, in rows; none is larger than a sixth of a large box. */
function fill(pods, letters, box) {
  const inner = { w: box.w - 2 * PAD, h: box.h - 2 * PAD };
  if (!letters.length || inner.w <= 0 || inner.h <= 0) return;
  const { columns, rows } = grid(Math.max(letters.length, 6), inner.w, inner.h);
  const size = Math.min(inner.w / columns, inner.h / rows, 12);
  const perRow = Math.max(1, Math.floor(inner.w / size));
  [...letters].forEach((letter, index) => {
    pods.push({
      x: box.x + PAD + (index % perRow) * size,
      y: box.y + PAD + Math.floor(index / perRow) * size,
      size,
      letter,
    });
  });
}
