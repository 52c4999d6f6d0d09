// The filter of a list: terms separated by spaces, all of which must hold.
//
//   web  -web                               a part of the name, or of any cell
//   app=web  app!=web  !app  app in (a,b)   labels, as kubectl's -l has them
//   status.phase=Running  reason=Killing    fields, as kubectl's --field-selector: the API is asked
//   status:crash  node:n1  restarts>3       a column: a part of its text, or its number
//
// Labels, columns and names are tested here, at once; only fields need another answer of the API.
import { distance } from "../filter.js";

const FIELD = /^(metadata|spec|status|involvedObject|regarding)\.[A-Za-z.]+(!=|==?)/;
// Fields of events have short names: a label of such a name on an event is hard to imagine.
const EVENT_FIELDS = new Set(["reason", "type", "source", "reportingComponent"]);
const KEY = "[A-Za-z0-9][A-Za-z0-9._/-]*";
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^)]*)\\)$`);
const LABEL = new RegExp(`^(${KEY})(!=|==|=)(.*)$`);
const COLUMN = /^([A-Za-z][A-Za-z -]*?)(>=|<=|>|<|:)(.+)$/;

const COMPARE = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

/** Splits a filter into terms; `app in (a, b)` and what stands in quotes are one. */
export function split(text) {
  return text.match(/[^\s"]+\s+(?:in|notin)\s*\([^)]*\)|-?[^\s":]*:?"[^"]*"|[^\s,]+/g)?.map((one) => one.replaceAll('"', "")) ?? [];
}

/** What a column is called in a filter: "Nominated Node" is nominated-node. */
export const columnKey = (name) => name.toLowerCase().replaceAll(" ", "-");

/**
 * Reads a filter for a list with these columns.
 * @param {string} text
 * @param {{name: string, get: (row: object) => unknown}[]} columns
 * @param {{events?: boolean}} [options]
 * @returns {{test: ((row: object) => boolean) | null, selector: string, fields: string, words: string[], bad: string[]}}
 */
export function parse(text, columns, { events = false } = {}) {
  const found = { selector: [], fields: [], words: [], bad: [], tests: [] };
  for (const term of split(text)) {
    if (FIELD.test(term) || (events && EVENT_FIELDS.has(LABEL.exec(term)?.[1]))) found.fields.push(term);
    else read(term, columns, found);
  }
  const { tests } = found;
  return {
    test: tests.length ? (row) => tests.every((one) => one(row)) : null,
    selector: found.selector.join(","),
    fields: found.fields.join(","),
    words: found.words,
    bad: found.bad,
  };
}

function read(term, columns, found) {
  const label = labelTest(term);
  if (label) {
    found.selector.push(term);
    found.tests.push(label);
    return;
  }
  const negative = term.length > 1 && term.startsWith("-");
  const body = negative ? term.slice(1) : term;
  const test = labelTest(body) ?? columnTest(body, columns);
  if (!test && /[=<>!]|^[a-z]+:/.test(body)) {
    found.bad.push(term);
    return;
  }
  const part = body.toLowerCase();
  const words = test ?? ((row) => row.ns.includes(part) || columns.some(({ get }) => contains(get(row), part)));
  if (!test && !negative) found.words.push(body);
  else if (negative && labelTest(body)) found.selector.push(negated(body));
  found.tests.push(negative ? (row) => !words(row) : words);
}

function negated(label) {
  const [, key, operator, value] = LABEL.exec(label);
  if (operator === "!=") return `${key}=${value}`;
  return value ? `${key}!=${value}` : `!${key}`;
}

/** Returns the test of a label term, as the API would decide it; null when it is none. */
function labelTest(term) {
  const absent = new RegExp(`^!(${KEY})$`).exec(term);
  if (absent) return (row) => !(absent[1] in row.labels);
  const set = SET.exec(term);
  if (set) {
    const values = new Set(set[3].split(",").map((one) => one.trim()));
    if (set[2] === "in") return (row) => values.has(row.labels[set[1]]);
    return (row) => !values.has(row.labels[set[1]]);
  }
  const label = LABEL.exec(term);
  if (!label) return null;
  const [, key, operator, value] = label;
  if (operator === "!=") return (row) => row.labels[key] !== value;
  return (row) => row.labels[key] === value;
}

function columnTest(body, columns) {
  const match = COLUMN.exec(body);
  if (!match) return null;
  const [, name, operator, value] = match;
  const column = columns.find((one) => columnKey(one.name) === name.toLowerCase());
  if (!column) return null;
  if (operator === ":") {
    const part = value.toLowerCase();
    return (row) => contains(column.get(row), part);
  }
  const wanted = Number.parseFloat(value);
  if (Number.isNaN(wanted)) return null;
  return (row) => {
    const number = Number.parseFloat(column.get(row));
    return !Number.isNaN(number) && COMPARE[operator](number, wanted);
  };
}

const contains = (cell, part) => cell !== null && cell !== undefined && String(cell).toLowerCase().includes(part);

/** Returns {text, count} of the nearest filter that finds something, or null. */
export function suggest(text, given, columns) {
  const rows = [...given];
  const terms = split(text);
  let best = null;
  for (const [position, term] of terms.entries()) {
    const { label, column, wanted } = meant(term);
    for (const value of candidates(rows, columns, label, column)) {
      const away = distance(wanted, value.toLowerCase());
      if (!away || away > 3 || away >= wanted.length || (best && best.away <= away)) continue;
      const prefix = label ? `${label}=` : column ? `${column}:` : "";
      const better = terms.with(position, `${prefix}${value}`).join(" ");
      const count = rows.filter(parse(better, columns).test).length;
      if (count) best = { text: better, count, away };
    }
  }
  return best && { text: best.text, count: best.count };
}

/** Takes a term apart: the label or column that it names, and the value. */
function meant(term) {
  const label = LABEL.exec(term);
  if (label) return { label: label[1], wanted: label[3].toLowerCase() };
  const column = /^([a-z-]+):(.+)$/i.exec(term);
  return { column: column?.[1], wanted: (column?.[2] ?? term).toLowerCase() };
}

/** Returns what could have been meant: values of a label, of a column, or names and values of labels. */
function candidates(rows, columns, label, name) {
  const found = new Set();
  const column = name && columns.find((one) => columnKey(one.name) === name.toLowerCase());
  for (const row of rows) {
    const values = label ? [row.labels[label]] : column ? [column.get(row)] : [row.name, ...Object.values(row.labels)];
    for (const value of values) if (value) found.add(String(value));
  }
  return found;
}
