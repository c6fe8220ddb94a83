/** More differences than this share of its length, and a name is another one and no slip. */
const MOST_DIFFERENCES = 0.4;

/** The known name that is most like the wanted one, for "did you mean"; undefined when none is like it. */
export function nearestName(wanted: string, known: Iterable<string>): string | undefined {
  const from = wanted.toLowerCase();
  let nearest: string | undefined;
  let fewest = Math.max(1, Math.floor(from.length * MOST_DIFFERENCES)) + 1;
  for (const name of known) {
    if (Math.abs(name.length - from.length) >= fewest) continue;
    const differences = editDistance(from, name.toLowerCase());
    if (differences < fewest) [nearest, fewest] = [name, differences];
  }
  return nearest;
}

/** Levenshtein's: insertions, deletions and replacements from one text to the other. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
