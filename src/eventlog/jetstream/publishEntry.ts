import type { AppendResult } from '../../ports/eventLog.ts';

/** Where the answer to one attempt comes. */
export interface ReplySubject {
  readonly token: number;
  readonly subject: string;
}

/** A message on its way through the publisher. */
export interface Entry {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly key: string;
  readonly expectedSeq: number | undefined;
  readonly headers: string | undefined;
  readonly deadlineAtMs: number;
  sentAtMs: number;
  retryAtMs: number;
  attempts: number;
  /** True once an attempt may have been stored without our hearing of it. */
  ambiguous: boolean;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: Error) => void;
}
