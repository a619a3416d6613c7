import type { JetStreamManager, NatsConnection } from 'nats';
import { parseUploadSubject, UPLOAD_SUBJECTS, UPLOADS_STREAM } from '../../contracts/uploads/uploads.ts';
import type { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import type { SurveyRequest } from '../../ports/attachmentStore.ts';
import { LogUnavailableError } from '../../ports/eventLog.ts';
import { OrderedReader } from './orderedReader.ts';

/** Messages of the bucket, chunks and infos, that one walk visits. */
const WALK_MESSAGES_MAX = 5_000;
/** Silence of the bucket that ends the walk, in milliseconds. */
const SILENCE_MS_MAX = 10_000;

export interface Walk {
  /** Ids of the infos that are old enough. */
  readonly uploads: string[];
  /** Sequences of the chunks that are old enough, by upload. */
  readonly chunks: Map<string, number[]>;
  /** Null at the end, and where everything else is too young. */
  readonly next: number | null;
}

interface Passed {
  readonly seq: number;
  readonly storedAtMs: number;
  readonly remaining: number;
  readonly subject: string;
}

export interface WalkOver {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly watch: ConnectionWatch;
}

/** Finds what lies where and since when in the bucket, without its bytes. @throws LogUnavailableError */
export async function walkUploads(over: WalkOver, request: SurveyRequest): Promise<Walk> {
  const passed: Passed[] = [];
  const youngest = Math.max(request.storedBeforeMs, request.leftBeforeMs);
  const next = await pass(over, request.after, (message) => {
    if (message.storedAtMs >= youngest) return 'end';
    passed.push(message);
    return passed.length < WALK_MESSAGES_MAX ? 'more' : 'pause';
  });
  const uploads: string[] = [];
  const chunks = new Map<string, number[]>();
  for (const { subject, storedAtMs, seq } of passed) {
    const what = parseUploadSubject(subject);
    if (what?.part === 'info' && storedAtMs < request.storedBeforeMs) uploads.push(what.id);
    if (what?.part === 'chunk' && storedAtMs < request.leftBeforeMs) {
      chunks.set(what.id, [...(chunks.get(what.id) ?? []), seq]);
    }
  }
  return { uploads, chunks, next };
}

/** @returns where it paused; null when it came to the end */
async function pass(
  { connection, manager, watch }: WalkOver,
  after: number,
  visit: (message: Passed) => 'more' | 'pause' | 'end',
): Promise<number | null> {
  const end = new WalkEnd();
  const reader = new OrderedReader<Passed>(connection, manager, {
    stream: UPLOADS_STREAM,
    watch,
    after,
    unreleasedMax: 512,
    headersOnly: true,
    filter: UPLOAD_SUBJECTS,
    decode: ({ subject }, delivery) => ({ ...delivery, subject }),
    onStarted: (pending) => pending === 0 && end.at(null),
    onEvent: (message) => {
      end.heard();
      const then = visit(message);
      if (then === 'pause') end.at(message.seq);
      if (then === 'end' || message.remaining === 0) end.at(null);
    },
  });
  try {
    await reader.start();
    return await end.promise;
  } finally {
    end.at(null);
    await reader.stop();
  }
}

/** The end of a walk, which is silence as well. */
class WalkEnd {
  readonly promise: Promise<number | null>;
  #settle: (next: number | null | Error) => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#settle = (next) => (next instanceof Error ? reject(next) : resolve(next));
    });
    // Nobody may be waiting for it yet.
    this.promise.catch(() => {});
    this.heard();
  }

  heard(): void {
    clearTimeout(this.#timer);
    const silent = () => this.#settle(new LogUnavailableError('The store of uploads has fallen silent'));
    this.#timer = setTimeout(silent, SILENCE_MS_MAX);
  }

  at(next: number | null): void {
    clearTimeout(this.#timer);
    this.#settle(next);
  }
}
