import { openJetStreamReceipts } from '../../../src/eventlog/jetstream/jetStreamReceipts.ts';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';
import { connectNats } from '../../../src/platform/nats/connection.ts';

/** The project's stream of receipts on a test's own nats-server. */
export async function openTestReceipts(natsUrl: string) {
  const connection = await connectNats({ url: natsUrl, name: 'test receipts' });
  const receipts = await openJetStreamReceipts({
    connection,
    definition: new URL('nats/streams/CHAT_RECEIPTS.json', projectRootUrl()),
    settings: { maxBytes: 16 * 1_024 ** 2, replicas: 1 },
    publisher: {
      windowMax: 64,
      queueMax: 1_024,
      queueBytesMax: 1_024 ** 2,
      ackTimeoutMs: 500,
      deadlineMs: 40_000,
    },
  });
  const close = async () => {
    await receipts.close(1_000);
    await connection.close();
  };
  return { receipts, connection, close };
}
