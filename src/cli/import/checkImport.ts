import { FORMAT_HINT, type ReadLine } from './importLines.ts';
import type { RejectedLines } from './rejectedLines.ts';

/** Faults that are shown to people; the report has all. */
const FAULTS_SHOWN_MAX = 20;

/** What a whole file holds. */
export interface ImportCheck {
  readonly messages: number;
  readonly rooms: number;
  /** Lines that cannot be imported. */
  readonly faulty: number;
  /** Names of which format characters were taken away, by lines. */
  readonly cleaned: number;
  /** Texts that became several messages, by lines. */
  readonly split: number;
  /** The first of the faults, each with its line. */
  readonly faults: readonly { readonly line: number; readonly fault: string }[];
  /** In most steps from one message of a room to the next time runs backwards. */
  readonly isNewestFirst: boolean;
}

/**
 * Reads a file from beginning to end before anything of it is imported.
 *
 * @param rejected gets every line that cannot be
 * @throws ImportFileError when the file cannot be read, or the report cannot be written
 */
export async function checkImport(
  lines: AsyncIterable<ReadLine>,
  rejected: RejectedLines,
  onProgress: (fraction: number, messages: number) => void,
): Promise<ImportCheck> {
  const order = new Order();
  const faults: { line: number; fault: string }[] = [];
  const counts = { messages: 0, faulty: 0, cleaned: 0, split: 0 };
  for await (const line of lines) {
    if ('fault' in line) {
      counts.faulty += 1;
      if (faults.length < FAULTS_SHOWN_MAX) faults.push({ line: line.raw.number, fault: line.fault });
      await rejected.add(line.raw, line.fault);
      continue;
    }
    counts.messages += line.messages.length;
    if (line.isNameCleaned) counts.cleaned += 1;
    if (line.messages.length > 1) counts.split += 1;
    const [first] = line.messages;
    if (first !== undefined) order.saw(first.room, Date.parse(first.at));
    onProgress(line.raw.fraction, counts.messages);
  }
  return { ...counts, rooms: order.rooms, faults, isNewestFirst: order.isNewestFirst };
}

/** The faults of a file, for people. */
export function describeFaults(file: string, { faulty, faults }: ImportCheck): string {
  const shown = faults.map(({ line, fault }) => `  line ${line}: ${fault}`);
  const rest = faulty - faults.length;
  const more = rest > 0 ? [`  … and ${rest} more`] : [];
  return [`${file}: ${faulty} lines cannot be imported.`, ...shown, ...more, FORMAT_HINT].join('\n');
}

/** Whether the messages of a room go forwards or backwards in time. */
class Order {
  readonly #latestMs = new Map<string, number>();
  #forwards = 0;
  #backwards = 0;

  saw(room: string, atMs: number): void {
    const before = this.#latestMs.get(room);
    this.#latestMs.set(room, atMs);
    if (before === undefined || before === atMs) return;
    if (atMs > before) this.#forwards += 1;
    else this.#backwards += 1;
  }

  get rooms(): number {
    return this.#latestMs.size;
  }

  get isNewestFirst(): boolean {
    return this.#backwards > this.#forwards;
  }
}
