// The picture as a tree for the keyboard and for screen readers: band > box > pod, in order.
//
// Only the open parts are listed, and only the rows in view become elements: 5,000 pods cost
// nothing until somebody opens them.

/** Returns the rows of what is open: {id, level, kind, text, note, cls, uid, box, size, position, open}. */
export function visibleRows(layout, store, open, test) {
  const rows = [];
  const named = [...layout.bands.values()].filter((band) => layout.lens.bandTitle(band.key)).length > 0;
  const groups = [];
  for (const box of layout.boxes.values()) if (layout.isTray(box) && box.count) groups.push({ key: null, boxes: [box] });
  for (const band of layout.bands.values()) groups.push({ key: named ? band.key : null, boxes: band.boxes });
  const tops = groups.filter((group) => group.key !== null).length || 0;
  const loose = groups.filter((group) => group.key === null).flatMap((group) => group.boxes);
  const size = tops + loose.length;
  let position = 0;
  for (const group of groups) {
    if (group.key === null) {
      for (const box of group.boxes) addBox(rows, layout, store, box, { level: 1, size, position: (position += 1) }, open, test);
      continue;
    }
    const id = `band:${group.key}`;
    const expanded = !open.has(`shut:${id}`);
    rows.push({ id, level: 1, kind: "band", text: layout.lens.bandTitle(group.key) ?? "–", note: "", size, position: (position += 1), open: expanded });
    if (!expanded) continue;
    group.boxes.forEach((box, i) => {
      addBox(rows, layout, store, box, { level: 2, size: group.boxes.length, position: i + 1, parent: id }, open, test);
    });
  }
  return rows;
}

function addBox(rows, layout, store, box, place, open, test) {
  const id = `box:${box.key}`;
  const pods = box.count ? podsOf(box, store, test) : [];
  const expanded = open.has(id) && pods.length > 0;
  const note = [layout.lens.note(box.key, store), test ? `${pods.length}/${box.count}` : String(box.count)].filter(Boolean).join(" · ");
  rows.push({ ...place, id, kind: "box", text: layout.lens.title(box.key, store), note, box, open: pods.length ? expanded : null, state: layout.lens.state(box.key, store) });
  if (!expanded) return;
  pods.forEach((pod, i) => {
    rows.push({ id: `pod:${pod.uid}`, level: place.level + 1, kind: "pod", text: pod.name, note: pod.status, cls: pod.cls, uid: pod.uid, size: pods.length, position: i + 1, open: null, parent: id });
  });
}

function podsOf(box, store, test) {
  const pods = [];
  for (const uid of box.slots) {
    const pod = uid && store.pods.get(uid);
    if (pod && (!test || test(pod))) pods.push(pod);
  }
  return pods;
}

/** Returns the row to go to for a key, or null; `typed` is for typing ahead. */
export function rowForKey(rows, at, key) {
  const last = rows.length - 1;
  if (key === "ArrowDown") return Math.min(last, at + 1);
  if (key === "ArrowUp") return Math.max(0, at - 1);
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key === "PageDown") return Math.min(last, at + 12);
  if (key === "PageUp") return Math.max(0, at - 12);
  if (key === "ArrowLeft") return rows.findIndex((row) => row.id === rows[at].parent);
  return null;
}

/** Returns the next row whose text begins with what was typed, or -1. */
export function rowForText(rows, at, typed) {
  const wanted = typed.toLowerCase();
  for (let step = 0; step < rows.length; step += 1) {
    // One letter goes on to the next match; more letters refine where one is.
    const i = (at + step + (typed.length === 1 ? 1 : 0)) % rows.length;
    if (rows[i].text.toLowerCase().startsWith(wanted)) return i;
  }
  return -1;
}

/** The pods of the rows from one to another, whichever comes first. */
export function podsBetween(rows, from, to) {
  const [first, last] = from < to ? [from, to] : [to, from];
  return rows.slice(first, last + 1).filter((row) => row.uid).map((row) => row.uid);
}
