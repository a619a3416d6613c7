import type { NatsConnection } from 'nats';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import {
  type JetStreamLog,
  type JetStreamLogOptions,
  type LogEvent,
  openJetStreamLog,
} from '../../../src/eventlog/jetstream/jetStreamLog.ts';
import type { PublisherOptions } from '../../../src/eventlog/jetstream/publisherOptions.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { newEpoch } from '../../../src/platform/ids.ts';
import { connectNats } from '../../../src/platform/nats/connection.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';

export interface OpenedLog {
  readonly log: JetStreamLog;
  readonly events: LogEvent[];
  close(): Promise<void>;
}

/** How large the stream is that a test's log makes. */
export const TEST_STREAM_BYTES_MAX = 256 * 1_024 ** 2;

export interface TestLogOptions {
  readonly maxBytes?: number;
  readonly publisher?: Partial<PublisherOptions>;
  /** Default: as in production. */
  readonly circuit?: JetStreamLogOptions['circuit'];
}

/** The project's log on a test's own nats-server, with its lifecycle events kept. */
export async function openTestLog(natsUrl: string, options: TestLogOptions = {}): Promise<OpenedLog> {
  const connection = await connectNats({ url: natsUrl, name: 'test' });
  const events: LogEvent[] = [];
  const log = await openJetStreamLog({
    connection,
    definition: new URL('nats/streams/CHAT_EVENTS.json', projectRootUrl()),
    settings: { maxBytes: options.maxBytes ?? TEST_STREAM_BYTES_MAX, replicas: 1 },
    publisher: {
      windowMax: 256,
      queueMax: 4_096,
      queueBytesMax: 64 * 1_024 ** 2,
      ackTimeoutMs: 500,
      deadlineMs: 40_000,
      ...options.publisher,
    },
    ...(options.circuit && { circuit: options.circuit }),
    makeEpoch: newEpoch,
    onEvent: (event) => events.push(event),
  }).catch(closing(connection));
  const close = async () => {
    await log.close(1_000);
    await connection.close();
  };
  return { log, events, close };
}

/** What the log holds of messages, in its order, by the keys of their clients. */
export async function storedKeys(log: EventLog): Promise<string[]> {
  const { lastSeq } = await log.status();
  const keys: string[] = [];
  for (let seq = 1; seq <= lastSeq; seq++) {
    const stored = await log.at(seq);
    const event = stored === null ? null : decodeEvent(stored.bytes, seq);
    if (event?.type === 'MessagePosted') keys.push(event.clientMessageId);
  }
  return keys;
}

/** @returns what gives the connection back and throws on, when nothing is opened over it */
export function closing(connection: NatsConnection): (cause: unknown) => Promise<never> {
  return async (cause) => {
    await connection.close();
    throw cause;
  };
}
