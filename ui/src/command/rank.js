// How well words fit a title: the palette's order. Pure.

/** Returns how well all words are in the text, 0 being best; null if one is not there at all. */
export function fit(text, words) {
  const title = text.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = title.indexOf(word);
    if (at >= 0) sum += at === 0 ? 0 : /[\s\-./:]/.test(title[at - 1]) ? 1 : 3;
    else {
      const scattered = inOrder(title, word);
      if (scattered === null) return null;
      sum += 6 + scattered;
    }
  }
  return sum + title.length / 100;
}

/** Letters of a word in their order, as "dpl" in "deployments"; returns the gaps between them. */
function inOrder(title, word) {
  if (word.length < 2) return null;
  let at = title.indexOf(word[0]);
  let gaps = 0;
  if (at < 0) return null;
  for (const letter of word.slice(1)) {
    const next = title.indexOf(letter, at + 1);
    if (next < 0) return null;
    gaps += next - at - 1;
    at = next;
  }
  return gaps > 12 ? null : gaps;
}

/** Returns the things that fit, the best first; `textOf` says what a thing is called. */
export function ranked(things, query, textOf) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return things;
  return things
    .map((thing, order) => ({ thing, order, score: fit(textOf(thing), words) }))
    .filter((one) => one.score !== null)
    .sort((a, b) => a.score - b.score || a.order - b.order)
    .map((one) => one.thing);
}
