// The filter's language: terms separated by spaces, all of which must hold.
//
//   app=web  -app=web  app!=web      labels
//   status:pending  node:n1  ns:a    fields; a part of the value is enough for status
//   restarts>3                       numbers: > >= < <= =
//   web                              a part of the name

const FIELDS = {
  status: (pod, value) => pod.status.toLowerCase().includes(value) || pod.cls === value,
  node: (pod, value) => pod.node.toLowerCase() === value,
  ns: (pod, value) => pod.ns === value,
  namespace: (pod, value) => pod.ns === value,
  ip: (pod, value) => pod.ip === value,
  name: (pod, value) => pod.name.includes(value),
};

const COMPARE = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  "=": (a, b) => a === b,
};

/** Reads one term; null when it makes no sense. */
function term(text) {
  const negative = text.length > 1 && text.startsWith("-");
  const body = negative ? text.slice(1) : text;
  const test = positive(body);
  if (!test) return null;
  return { text, test: negative ? (pod) => !test(pod) : test };
}

function positive(body) {
  const number = /^(restarts|cpu|memory)(>=|<=|>|<|=)(\d+)$/.exec(body);
  if (number) {
    const [, field, operator, value] = number;
    return (pod) => COMPARE[operator](pod[field], Number(value));
  }
  const label = /^([A-Za-z0-9._/-]+)(!=|==|=)(.*)$/.exec(body);
  if (label) {
    const [, key, operator, value] = label;
    if (operator === "!=") return (pod) => pod.labels[key] !== value;
    return value === "" ? (pod) => key in pod.labels : (pod) => pod.labels[key] === value;
  }
  const field = /^([a-z]+):(.+)$/.exec(body);
  if (field) {
    const test = FIELDS[field[1]];
    const value = field[2].toLowerCase();
    return test ? (pod) => test(pod, value) : null;
  }
  if (/[<>:=]/.test(body)) return null;
  const part = body.toLowerCase();
  return (pod) => pod.name.includes(part);
}

/** Returns {test, terms, bad}: bad holds the terms that make no sense. */
export function parse(text) {
  const terms = [];
  const bad = [];
  for (const word of text.trim().split(/\s+/).filter(Boolean)) {
    const read = term(word);
    if (read) terms.push(read);
    else bad.push(word);
  }
  const tests = terms.map((one) => one.test);
  const test = tests.length ? (pod) => tests.every((one) => one(pod)) : null;
  return { test, terms: terms.map((one) => one.text), bad };
}

/** Counts the edits between two words, up to 3: enough to find a slip of the finger. */
export function distance(a, b) {
  if (Math.abs(a.length - b.length) > 3) return 4;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swap = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + swap));
    }
    row = next;
  }
  return row[b.length];
}

/** Returns {text, count} of the nearest filter that matches something, or null. */
export function suggest(text, pods) {
  const label = /^(-?[A-Za-z0-9._/-]+)=(.+)$/.exec(text.trim());
  const counts = new Map();
  for (const pod of pods) {
    const words = label ? [pod.labels[label[1]]] : Object.values(pod.labels);
    for (const value of new Set(words)) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const wanted = label ? label[2] : text.trim();
  let best = null;
  for (const [value, count] of counts) {
    const away = distance(wanted, value);
    if (away <= 3 && away < wanted.length && (!best || away < best.away)) best = { value, count, away };
  }
  return best && { text: label ? `${label[1]}=${best.value}` : best.value, count: best.count };
}
