// The command line as in k9s, read without side effects: what a text means in a cluster.
//
//   :po                     a kind by short name, plural, singular or kind; plural.group for one of many
//   :po prod                in a namespace;   :po all   in all of them
//   :po prod app=web        with labels;      :po prod /web   with a part of the name
//   :po prod web-0          one object
//   :topology  :settings    a page;           :ctx other   another cluster;   :q   all clusters
//
// A world is { kinds, namespaces, pages, clusters, cluster }, as the palette reads it.

const lower = (text) => text.toLowerCase();

/** Returns the names under which a kind is known, those that are typed most first. */
export function aliases(kind) {
  const singular = lower(kind.kind);
  const full = kind.group ? [`${kind.plural}.${kind.group}`] : [];
  return [...kind.short, kind.plural, singular, ...full];
}

/** Finds a kind by one of its names; core comes before groups, as with kubectl. */
export function kindNamed(word, kinds) {
  const wanted = lower(word);
  return kinds.find((kind) => aliases(kind).includes(wanted)) ?? null;
}

const CLUSTERS = ["ctx", "context", "contexts", "cluster", "clusters"];
const LEAVE = ["q", "q!", "quit"];
const EVERYWHERE = ["all", "*", "-a"];

const isSelector = (word) => /[=!]/.test(word) && !word.startsWith("/");

/** Returns {address} with what it shows, or {problem} with its parts for a sentence, or {} for nothing. */
export function parse(text, world) {
  const words = text.trim().replace(/^:/, "").trim().split(/\s+/).filter(Boolean);
  if (!words.length) return {};
  const [first, ...rest] = words;
  if (LEAVE.includes(lower(first))) return { address: "/", clusters: true };
  if (CLUSTERS.includes(lower(first))) return toCluster(rest, world);
  const page = world.pages.find((one) => one.name === lower(first) || lower(one.title) === lower(first));
  const kind = kindNamed(first, world.kinds);
  if (page && !(kind && rest.length)) return { address: page.address, page };
  if (!kind) return { problem: "kind", word: first, closest: closest(first, world) };
  return toKind(kind, rest, world);
}

function toCluster([name], world) {
  if (!name) return { address: "/", clusters: true };
  const found = world.clusters.find((one) => one.name === name);
  return found ? { address: found.address, cluster: name } : { problem: "cluster", word: name };
}

function toKind(kind, rest, world) {
  const read = { kind, namespace: "", selector: [], filter: "", name: "", everywhere: false };
  for (const word of rest) {
    const problem = take(word, read, world);
    if (problem) return problem;
  }
  const query = new URLSearchParams();
  if (read.namespace) query.set("ns", read.namespace);
  const filter = read.selector.join(",") || read.filter;
  if (filter) query.set("q", filter);
  if (read.name) {
    const scope = kind.namespaced ? read.namespace : "-";
    return { ...read, address: `${kind.url}/${encodeURIComponent(scope)}/${encodeURIComponent(read.name)}` };
  }
  const text = query.toString().replaceAll("%3D", "=").replaceAll("%2C", ",");
  return { ...read, address: text ? `${kind.url}?${text}` : kind.url };
}

/** Takes one word after the kind; returns a problem, if it is one. */
function take(word, read, world) {
  const { kind } = read;
  if (word === "-n" || word === "-l") return null; // kubectl's habits do no harm
  if (isSelector(word)) read.selector.push(word);
  else if (word.startsWith("/")) read.filter = word.slice(1);
  else if (!kind.namespaced) read.name = word;
  else if (EVERYWHERE.includes(lower(word))) read.everywhere = true;
  else if (word.includes("/")) [read.namespace, read.name] = word.split("/", 2);
  else if (!read.namespace && world.namespaces.includes(word)) read.namespace = word;
  else if (read.namespace) read.name = word;
  else if (!world.namespaces.length) read.namespace = word;
  // No namespace has this name: it is looked for among names, and the line above says so.
  else read.filter = word;
  return null;
}

/** Returns what a text may become, for the list below the line: [{text, kind|page|namespace|cluster}]. */
export function complete(text, world, limit = 12) {
  const body = text.replace(/^:/, "").replace(/^\s+/, "");
  const words = body.split(/\s+/);
  const last = lower(words.at(-1));
  const head = words.slice(0, -1).join(" ");
  const found = words.length === 1 ? firstWords(last, world) : nextWords(words[0], last, world);
  return found.slice(0, limit).map((one) => ({ ...one, text: head ? `${head} ${one.word}` : one.word }));
}

function firstWords(last, world) {
  const pages = world.pages.filter((page) => page.name.startsWith(last)).map((page) => ({ word: page.name, page }));
  const kinds = [];
  for (const kind of world.kinds) {
    const names = aliases(kind);
    const name = names.find((one) => one === last) ?? names.find((one) => one.startsWith(last));
    if (name !== undefined) kinds.push({ word: kind.plural, exact: name === last, kind });
  }
  kinds.sort((a, b) => Number(b.exact) - Number(a.exact));
  // Of two groups with the same plural the second one needs its group.
  const seen = new Set();
  for (const one of kinds) {
    if (seen.has(one.word)) one.word = `${one.kind.plural}.${one.kind.group}`;
    seen.add(one.word);
  }
  const exact = kinds.filter((one) => one.exact);
  return [...exact, ...pages, ...kinds.filter((one) => !one.exact)];
}

function nextWords(first, last, world) {
  if (CLUSTERS.includes(lower(first))) {
    return world.clusters.filter((one) => one.name.startsWith(last)).map((one) => ({ word: one.name, cluster: one.name }));
  }
  const kind = kindNamed(first, world.kinds);
  if (!kind?.namespaced || isSelector(last) || last.startsWith("/")) return [];
  return world.namespaces.filter((name) => name.startsWith(last)).map((name) => ({ word: name, namespace: name }));
}

/** Returns the alias nearest to a word, or null. */
function closest(word, world) {
  let best = null;
  for (const kind of world.kinds) {
    for (const name of aliases(kind)) {
      const away = distance(lower(word), name);
      if (away <= 2 && away < word.length - 1 && (!best || away < best.away)) best = { name, away };
    }
  }
  return best?.name ?? null;
}

/** Counts edits, a swap of neighbours being one. */
function distance(a, b) {
  if (Math.abs(a.length - b.length) > 2) return 3;
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = a[i - 1] === b[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + swap);
      const crossed = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (crossed) rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
    }
  }
  return rows[a.length][b.length];
}
