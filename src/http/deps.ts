import type { ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { ApplicationContext } from '../application/context.ts';
import type { Presence } from '../application/presence/presence.ts';
import type { LogHistory } from '../application/reading/logHistory.ts';
import type { ReadMarks } from '../application/receipts/readMarks.ts';
import type { StandardHeadersOptions } from '../middleware/standardHeaders.ts';
import type { UserHeader } from '../middleware/userHeader.ts';
import type { LogHead } from '../platform/log/logHead.ts';
import type { Database, Reads } from '../platform/postgres/database.ts';
import type { ReadModelProgress } from '../ports/readModelProgress.ts';
import type { UploadEvent } from './uploads/uploadEvents.ts';
import type { UploadLimits } from './uploads/uploadLimits.ts';

/** What the HTTP API stands on. Built once, by the composition root. */
export interface HttpDeps {
  readonly application: ApplicationContext;
  readonly reading: ReadingDeps;
  readonly realtime: RealtimeDeps;
  readonly uploads: UploadDeps;
  readonly operations: OperationsDeps;
}

/** What answers questions. */
export interface ReadingDeps {
  /** Postgres itself. */
  readonly database: Database;
  /** Answers questions that may be a moment old: a read replica, if there is one, else the database. */
  readonly reads: Reads;
  /** History while the database does not answer. */
  readonly logHistory: Pick<LogHistory, 'read'>;
  readonly logHead: LogHead;
  /** Progress of the projection `history`. */
  readonly historyProgress: ReadModelProgress;
  /** Progress of the projection `inbox`. */
  readonly inboxProgress: ReadModelProgress;
  /** Progress of the projection `search`. */
  readonly searchProgress: ReadModelProgress;
  readonly searches: SearchLimits;
}

/** What searches may take of the database, of which only a part is theirs. */
export interface SearchLimits {
  /** Searches at a time. */
  readonly parallelMax: number;
  /** How long Postgres may work on one, in milliseconds. */
  readonly statementMsMax: number;
}

/** What comes and goes with users: presence, read marks, event streams. */
export interface RealtimeDeps {
  readonly presence: Pick<Presence, 'online'>;
  readonly readMarks: Pick<ReadMarks, 'mark'>;
  readonly eventStreams: EventStreams;
}

export interface UploadDeps {
  readonly limits: UploadLimits;
  /** Reports how each upload ended. */
  readonly onEvent: (event: UploadEvent) => void;
}

/** What operators see, and what surrounds every answer. */
export interface OperationsDeps {
  readonly metrics: MetricsText;
  readonly logger: Logger;
  readonly health: HealthDeps;
  readonly standardHeaders?: StandardHeadersOptions;
  /** By which a gateway names users; default: any client may name itself in `X-User-Id`. */
  readonly userHeader?: UserHeader;
}

/** All metrics, as text for a scraper. */
export interface MetricsText {
  /** The media type of {@link text}. */
  readonly contentType: string;
  text(): Promise<string>;
}

/** What serves event streams: the realtime side, which this one only asks. */
export interface EventStreams {
  serve(
    request: {
      readonly conversationId: string;
      readonly userId: string | null;
      readonly after?: number | undefined;
      readonly epoch?: string | undefined;
    },
    response: ServerResponse,
  ): Promise<void>;
}

export interface HealthDeps {
  /** When the log's server writes to disk, in words: "every append", "every 2 min". */
  readonly fsyncPolicy: string;
  /** How long the log took to acknowledge the latest append, in milliseconds; null before the first. */
  readonly publishAckMs: () => number | null;
  /** Whether the log can be asked, in one word: `available`, `suspect`, `unavailable` or `probing`. */
  readonly logState: () => string;
  /** A live read model that is further behind than this many seconds is not healthy. */
  readonly lagSecondsMax: number;
  /** True from when the process was asked to stop. */
  readonly isDraining: () => boolean;
}
