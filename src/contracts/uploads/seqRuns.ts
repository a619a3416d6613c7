const RUN = /^([1-9]\d{0,15})(?:-([1-9]\d{0,15}))?$/;

/** Sequences as runs, `5-12,14`: what is stored alone lies in one run, what is stored at the same time in many. */
export function writeSeqRuns(seqs: readonly number[]): string {
  const runs: { first: number; last: number }[] = [];
  for (const seq of seqs) {
    const run = runs.at(-1);
    if (run !== undefined && seq === run.last + 1) run.last = seq;
    else runs.push({ first: seq, last: seq });
  }
  return runs.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}

/**
 * Reads what {@link writeSeqRuns} wrote.
 *
 * @param wanted how many there must be, so that a wrong run cannot become an endless list
 * @returns null for anything else
 */
export function readSeqRuns(text: string, wanted: number): number[] | null {
  const seqs: number[] = [];
  for (const run of text === '' ? [] : text.split(',')) {
    const [, from = '', to = from] = RUN.exec(run) ?? [];
    const [first, last] = [Number(from), Number(to)];
    // Beyond 2^53 numbers stand still, and a run would never end.
    if (from === '' || last < first || last > Number.MAX_SAFE_INTEGER) return null;
    if (last - first >= wanted - seqs.length) return null;
    for (let seq = first; seq <= last; seq++) seqs.push(seq);
  }
  return seqs.length === wanted ? seqs : null;
}
