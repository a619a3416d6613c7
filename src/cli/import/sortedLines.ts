import type { NumberedLine } from './importChat.ts';
import { ImportFileError } from './rawLines.ts';

/** What is held in memory to be sorted, at most: texts and names, in characters. */
const SORTED_LENGTH_MAX = 256 * 1_024 ** 2;

/**
 * The same messages, the oldest first; those of one time stay in their order.
 *
 * @throws ImportFileError when there is more than is sorted in memory
 */
export async function* sortedLines(
  lines: AsyncIterable<NumberedLine>,
): AsyncGenerator<NumberedLine, void, undefined> {
  const held: { line: NumberedLine['line']; atMs: number }[] = [];
  let length = 0;
  for await (const { line } of lines) {
    held.push({ line, atMs: Date.parse(line.at) });
    length += line.text.length + line.user.length + line.room.length;
    if (length > SORTED_LENGTH_MAX)
      throw new ImportFileError(
        'The file is too long to be sorted in memory. Sort it by time, or import it in parts.',
      );
  }
  held.sort((a, b) => a.atMs - b.atMs);
  for (const [n, { line }] of held.entries()) yield { line, fraction: (n + 1) / held.length };
}
