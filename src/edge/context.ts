import type { ApplicationContext } from '../application/context.ts';
import type { Presence } from '../application/presence/presence.ts';
import type { TypingThrottle } from '../application/presence/typingThrottle.ts';
import type { ReadMarks } from '../application/receipts/readMarks.ts';
import type { ReadModelProgress } from '../ports/readModelProgress.ts';
import type { Signals } from '../ports/signals.ts';
import type { Hub } from './hub.ts';
import type { Inbox } from './inbox.ts';
import type { LogPages } from './resume/logPages.ts';
import type { ReplayBuffer } from './resume/replayBuffer.ts';

export interface SessionOptions {
  /** Conversations one socket may follow at a time. */
  readonly joinsMax: number;
  /** Requests one socket may have in flight. */
  readonly requestsMax: number;
  /** Gets faults that no client caused. */
  readonly onFault: (error: unknown) => void;
}

/** What every session of this process works with. */
export interface SessionContext {
  readonly application: ApplicationContext;
  readonly hub: Hub;
  readonly inbox: Inbox;
  readonly recent: ReplayBuffer;
  readonly pages: LogPages;
  readonly signals: Signals;
  readonly presence: Pick<Presence, 'connected' | 'disconnected' | 'online'>;
  readonly typing: TypingThrottle;
  readonly readMarks: Pick<ReadMarks, 'mark'>;
  readonly historyProgress: ReadModelProgress;
  readonly options: SessionOptions;
}
