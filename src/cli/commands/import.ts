import type { ApplicationContext } from '../../application/context.ts';
import { checkImport, describeFaults, type ImportCheck } from '../import/checkImport.ts';
import { type ImportResult, importChat, type NumberedLine } from '../import/importChat.ts';
import { type ReadingRules, readImportLines } from '../import/importLines.ts';
import { ImportFileError } from '../import/rawLines.ts';
import { RejectedLines } from '../import/rejectedLines.ts';
import { sortedLines } from '../import/sortedLines.ts';
import { EXIT, type Outcome, ok } from '../outcome.ts';
import { ProgressBar } from '../progressBar.ts';

export interface ImportOptions extends ReadingRules {
  /** What is done with lines that cannot be imported. Default: nothing at all is imported. */
  readonly onError?: 'stop' | 'skip';
  /** Where lines that are left out go. Default: beside the file. */
  readonly report?: string;
  /** The oldest first, whatever the order of the file. */
  readonly sort?: boolean;
}

/** `import FILE --dry-run`: what is in the file, and every fault of it. Nothing has to run. */
export async function runImportCheck(file: string, options: ImportOptions): Promise<Outcome> {
  const { check, report } = await examine(file, options);
  const { faults: _, ...counts } = check;
  const order = check.isNewestFirst ? [newestFirst(file)] : [];
  const found = check.faulty === 0 ? [] : [describeFaults(file, check), `All of them: ${report}`];
  const text = [
    `${check.messages} messages in ${check.rooms} conversations can be imported.`,
    ...order,
    ...found,
  ];
  const json = { ...counts, faults: check.faults, report: check.faulty > 0 ? report : null };
  return { text: text.join('\n'), json, exitCode: check.faulty > 0 ? EXIT.checkFailed : EXIT.ok };
}

/**
 * `import FILE`: reads it to its end first, so that a file with faults is not half imported.
 *
 * @throws ImportFileError when it has faults that are not to be skipped, or is newest first
 */
export async function runImport(
  application: ApplicationContext,
  file: string,
  options: ImportOptions,
): Promise<Outcome> {
  const { check, report } = await examine(file, options);
  if (check.faulty > 0 && options.onError !== 'skip')
    throw new ImportFileError(
      `${describeFaults(file, check)}\nNothing was imported. Mend the lines, or leave them out with --on-error skip: they are in ${report}.`,
    );
  if (check.isNewestFirst && options.sort !== true) throw new ImportFileError(newestFirst(file));
  const good = goodLines(file, options);
  const startedAtMs = Date.now();
  const result = await withProgress('import', (onProgress) =>
    importChat(application, options.sort === true ? sortedLines(good) : good, onProgress),
  );
  return describe(result, check, (Date.now() - startedAtMs) / 1_000, report);
}

/** Reads the whole file, and writes down what cannot be imported. */
async function examine(
  file: string,
  options: ImportOptions,
): Promise<{ check: ImportCheck; report: string }> {
  const report = options.report ?? `${file}.rejected.jsonl`;
  const rejected = new RejectedLines(report, file);
  try {
    const check = await withProgress('check', (onProgress) =>
      checkImport(readImportLines(file, options), rejected, onProgress),
    );
    return { check, report };
  } finally {
    await rejected.close();
  }
}

/** The lines that the check found good. */
async function* goodLines(
  file: string,
  options: ImportOptions,
): AsyncGenerator<NumberedLine, void, undefined> {
  for await (const read of readImportLines(file, options)) {
    if ('fault' in read) continue;
    for (const line of read.messages) yield { line, fraction: read.raw.fraction };
  }
}

function newestFirst(file: string): string {
  return `${file} is newest first: conversations would read backwards. Import it with --sort.`;
}

function withProgress<T>(
  name: string,
  work: (onProgress: (fraction: number, messages: number) => void) => Promise<T>,
): Promise<T> {
  const bar = new ProgressBar(name, 'messages');
  return work((fraction, count) => bar.update(fraction, count)).finally(() => bar.end());
}

function describe(result: ImportResult, check: ImportCheck, seconds: number, report: string): Outcome {
  const messagesPerSecond = Math.round(result.messages / Math.max(0.001, seconds));
  const { messages, alreadyThere, conversations } = result;
  const { faulty: skipped, cleaned, split } = check;
  const text = [
    `${messages} messages in ${conversations} conversations, ${alreadyThere} of them there already; ` +
      `${seconds.toFixed(1)} s, ${messagesPerSecond} messages/s`,
    ...(cleaned > 0 ? [`${cleaned} lines had format characters in the name, which were taken out`] : []),
    ...(split > 0 ? [`${split} texts were too long for one message and became several`] : []),
    ...(skipped > 0 ? [`${skipped} lines were left out: ${report} has them, with the fault of each`] : []),
  ];
  const changed = { cleaned, split, skipped, report: skipped > 0 ? report : null };
  const figures = { messages, conversations, alreadyThere, seconds, messagesPerSecond };
  return ok(text.join('\n'), { ...figures, ...changed });
}
