// How numbers and plurals are written; the same in the languages that we have, so far.

/** Groups digits by threes with a narrow space, as the SI has it. */
export const group = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Chooses between the two forms of English. */
export const plural = (n, one, many) => (n === 1 ? one : many);
