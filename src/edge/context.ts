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
  /** Conversations that one socket follows at a time, at most. */
  readonly joinsMax: number;
  /** Requests of one socket that are under way at a time, at most. */
  readonly requestsMax: number;
  /** Told of faults that are nobody's mistake. */
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
