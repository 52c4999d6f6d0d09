// Where the cards and lines of a drawing of relations stand: columns from left to right. Pure.
//
// The columns are given; here the cards of each are put in an order with few crossings, moved
// towards what they are joined with, and lines that pass a column are led between its cards.
// The same graph gives the same picture. 300 cards take some milliseconds.

export const CARD = { width: 200, height: 46 };
export const GAP = { x: 64, y: 12 };
const PASSING = 10; // the room for a line between cards
const SWEEPS = 4;
const MARGIN = 4;

/**
 * @param {{nodes: {column: number}[], edges: [number, number, string, string][]}} graph
 * @returns {{width: number, height: number, cards: {x: number, y: number}[], lines: string[]}}
 */
export function layout({ nodes, edges }) {
  const { items, columns, chains } = parts(nodes, edges);
  sortColumns(items, columns);
  const places = place(items, columns);
  const top = Math.min(...places.map((y, i) => y - items[i].height / 2), 0);
  const x = (column) => MARGIN + column * (CARD.width + GAP.x);
  const middle = (item) => places[item] - top + MARGIN;
  const cards = nodes.map(({ column }, i) => ({ x: x(column), y: middle(i) - CARD.height / 2 }));
  const lines = chains.map((chain) => line(chain.map((one) => ({ x: x(items[one].column), y: middle(one), card: one < nodes.length }))));
  const bottom = Math.max(0, ...items.map((item, i) => middle(i) + item.height / 2));
  return { width: x(Math.max(0, columns.length - 1)) + CARD.width + MARGIN, height: bottom + MARGIN, cards, lines };
}

/** Makes an item of each card and of each place where a line passes a column. */
function parts(nodes, edges) {
  const items = nodes.map(({ column }) => ({ column, height: CARD.height, left: [], right: [] }));
  const chains = edges.map(([from, to]) => {
    const chain = [from];
    const step = Math.sign(nodes[to].column - nodes[from].column);
    for (let column = nodes[from].column + step; step && column !== nodes[to].column; column += step) {
      chain.push(items.length);
      items.push({ column, height: PASSING, left: [], right: [] });
    }
    chain.push(to);
    for (let i = 1; i < chain.length; i += 1) {
      const [a, b] = step < 0 ? [chain[i], chain[i - 1]] : [chain[i - 1], chain[i]];
      items[a].right.push(b);
      items[b].left.push(a);
    }
    return chain;
  });
  const columns = [];
  items.forEach((item, i) => (columns[item.column] ??= []).push(i));
  for (let i = 0; i < columns.length; i += 1) columns[i] ??= [];
  return { items, columns, chains };
}

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

/** Sorts each column by where its neighbours stand, from both sides. */
function sortColumns(items, columns) {
  const rank = [];
  const number = (column) => column.forEach((item, i) => (rank[item] = i));
  columns.forEach(number);
  const sort = (column, side) => {
    const wanted = new Map(column.map((item) => [item, items[item][side].length ? mean(items[item][side].map((one) => rank[one])) : rank[item]]));
    column.sort((a, b) => wanted.get(a) - wanted.get(b) || rank[a] - rank[b]);
    number(column);
  };
  for (let i = 0; i < SWEEPS; i += 1) {
    for (const column of columns) sort(column, "left");
    for (const column of [...columns].reverse()) sort(column, "right");
  }
}

/** Returns the middle of each item: as near to its neighbours as the order of its column lets it. */
function place(items, columns) {
  const places = [];
  for (const column of columns) {
    let y = 0;
    for (const item of column) {
      places[item] = y + items[item].height / 2;
      y += items[item].height + GAP.y;
    }
  }
  const settle = (column, sides) => {
    const wanted = column.map((item) => {
      const near = sides.flatMap((side) => items[item][side]);
      return near.length ? mean(near.map((one) => places[one])) : places[item];
    });
    spread(wanted, column.map((item) => items[item].height)).forEach((y, i) => (places[column[i]] = y));
  };
  for (let i = 0; i < SWEEPS; i += 1) {
    for (const column of columns) settle(column, ["left"]);
    for (const column of [...columns].reverse()) settle(column, ["right"]);
  }
  for (const column of columns) settle(column, ["left", "right"]);
  return places;
}

/**
 * Returns places in the given order, as near to the wanted ones as they can be without touching:
 * the least squares, by pooling neighbours that would be in each other's way.
 */
export function spread(wanted, heights) {
  let at = 0;
  const offsets = heights.map((height, i) => (at += i ? (heights[i - 1] + height) / 2 + GAP.y : 0));
  const pools = [];
  wanted.forEach((y, i) => {
    let pool = { sum: y - offsets[i], count: 1 };
    while (pools.length && pools.at(-1).sum / pools.at(-1).count > pool.sum / pool.count) {
      const before = pools.pop();
      pool = { sum: before.sum + pool.sum, count: before.count + pool.count };
    }
    pools.push(pool);
  });
  return pools.flatMap(({ sum, count }) => Array(count).fill(sum / count)).map((y, i) => y + offsets[i]);
}

/** Draws a line from the side of one card through the places that it passes to the side of another. */
function line(points) {
  const back = points.at(-1).x < points[0].x;
  const same = points.at(-1).x === points[0].x;
  const enter = ({ x }) => x + (back ? CARD.width : 0);
  const leave = ({ x }) => x + (back && !same ? 0 : CARD.width);
  let path = `M${leave(points[0])} ${points[0].y}`;
  for (let i = 1; i < points.length; i += 1) {
    const [from, to] = [points[i - 1], points[i]];
    const [x1, x2] = [leave(from), same ? enter(to) + CARD.width : enter(to)];
    const bend = same ? GAP.x / 2 : (x2 - x1) / 2;
    path += `C${x1 + bend} ${from.y} ${same ? x2 + bend : x2 - bend} ${to.y} ${x2} ${to.y}`;
    if (!to.card) path += `H${leave(to)}`;
  }
  return path;
}

/** Returns where an arrow key leads from a card: along a line, or up and down its column. */
export function step(graph, cards, here, key) {
  const { nodes, edges } = graph;
  const nearest = (found) => found.sort((a, b) => Math.abs(cards[a].y - cards[here].y) - Math.abs(cards[b].y - cards[here].y) || a - b)[0] ?? here;
  if (key === "ArrowRight") return nearest(edges.filter(([from]) => from === here).map(([, to]) => to));
  if (key === "ArrowLeft") return nearest(edges.filter(([, to]) => to === here).map(([from]) => from));
  const column = nodes.map((_, i) => i).filter((i) => nodes[i].column === nodes[here].column).sort((a, b) => cards[a].y - cards[b].y);
  const at = column.indexOf(here);
  if (key === "ArrowDown") return column[Math.min(at + 1, column.length - 1)];
  if (key === "ArrowUp") return column[Math.max(at - 1, 0)];
  if (key === "Home") return nodes.findIndex((one) => one.focus);
  return null;
}

/** Returns what is joined with a card, directly or by one way in one direction: what is lit with it. */
export function joined({ edges }, here) {
  const cards = new Set([here]);
  const lines = new Set();
  for (const [mine, other] of [[0, 1], [1, 0]]) {
    const queue = [here];
    const seen = new Set(queue);
    for (const one of queue) {
      edges.forEach((edge, i) => {
        if (edge[mine] !== one) return;
        lines.add(i);
        cards.add(edge[other]);
        if (!seen.has(edge[other])) queue.push(edge[other]);
        seen.add(edge[other]);
      });
    }
  }
  return { cards, lines };
}
