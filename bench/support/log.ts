import type { NatsConnection } from 'nats';
import { type JetStreamLog, openJetStreamLog } from '../../src/eventlog/jetstream/jetStreamLog.ts';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';
import { newEpoch } from '../../src/platform/ids.ts';
import { connectNats } from '../../src/platform/nats/connection.ts';

/** As the settings are by default. */
export const PUBLISHER = {
  windowMax: 2_048,
  queueMax: 16_384,
  queueBytesMax: 64 * 1_024 ** 2,
  ackTimeoutMs: 2_000,
  deadlineMs: 10_000,
};

/** The project's log with its default settings. */
export async function openBenchLog(
  natsUrl: string,
): Promise<{ log: JetStreamLog; connection: NatsConnection }> {
  const connection = await connectNats({ url: natsUrl, name: 'bench' });
  const log = await openJetStreamLog({
    connection,
    definition: new URL('nats/streams/CHAT_EVENTS.json', projectRootUrl()),
    settings: { maxBytes: 4 * 1_024 ** 3, replicas: 1 },
    publisher: PUBLISHER,
    makeEpoch: newEpoch,
  });
  return { log, connection };
}
