import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import type { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { MemoryReceipts } from '../../../src/eventlog/memory/memoryReceipts.ts';
import type { FoundUpload } from '../../../src/ports/attachmentStore.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import type { Receipt } from '../../../src/ports/receipts.ts';

/** What fails just now between an API and its stores. */
export type StoreFaults = {
  readonly read?: Error;
  readonly append?: Error | 'conflict';
  readonly mark?: Error;
  /** Of the program itself. */
  readonly fault?: Error;
};

/** A log that fails as it is to just now. */
export function faultyLog(log: MemoryEventLog, current: () => StoreFaults): EventLog {
  const readable = <T>(work: () => Promise<T>): Promise<T> => {
    const { read } = current();
    return read === undefined ? work() : Promise.reject(read);
  };
  return {
    epoch: log.epoch,
    get knownSeq() {
      return log.knownSeq;
    },
    append: (request) => {
      const { append } = current();
      if (append === 'conflict') return Promise.resolve({ outcome: 'conflict' });
      return append === undefined ? log.append(request) : Promise.reject(append);
    },
    latest: (...which) => readable(() => log.latest(...which)),
    at: (seq) => readable(() => log.at(seq)),
    erase: (seq) => readable(() => log.erase(seq)),
    renewEpoch: (renewal) => readable(() => log.renewEpoch(renewal)),
    status: () => readable(() => log.status()),
  };
}

/** Uploads that cannot be found while reading fails. */
export class FaultyAttachments extends MemoryAttachments {
  readonly #current: () => StoreFaults;

  constructor(current: () => StoreFaults) {
    super();
    this.#current = current;
  }

  override find(id: string): Promise<FoundUpload | null> {
    const { read } = this.#current();
    return read === undefined ? super.find(id) : Promise.reject(read);
  }
}

/** Receipts that cannot be stored while marking fails. */
export class FaultyReceipts extends MemoryReceipts {
  readonly #current: () => StoreFaults;

  constructor(current: () => StoreFaults) {
    super();
    this.#current = current;
  }

  override mark(receipt: Receipt): Promise<void> {
    const { mark } = this.#current();
    return mark === undefined ? super.mark(receipt) : Promise.reject(mark);
  }
}
