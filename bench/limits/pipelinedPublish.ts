import { createInbox, headers } from 'nats';
import { connectNats } from '../../src/platform/nats/connection.ts';

/**
 * The bare limit for durable publishing: pipelined over one connection with one inbox for PubAcks and an id on each
 * message, while an ordered consumer of the client library reads the stream in the same process. No schema, no domain,
 * no sockets.
 *
 * @returns messages per second, acknowledged and read
 */
export async function barePipelinedPublish(
  natsUrl: string,
  options: { messages: number; inFlight: number; bytes: number },
): Promise<number> {
  const connection = await connectNats({ url: natsUrl, name: 'bench limit' });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: 'LIMIT', subjects: ['limit.*'] });
  const consumer = await connection.jetstream().consumers.get('LIMIT');
  const payload = Buffer.from(`{"x":"${'a'.repeat(options.bytes)}"}`);
  const inbox = createInbox();
  let sent = 0;
  let acked = 0;
  let read = 0;
  const startedAt = performance.now();
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const check = () => {
    if (acked === options.messages && read === options.messages) finish();
  };
  const onRead = () => {
    read += 1;
    check();
  };
  const reading = await consumer.consume({ max_messages: 4_096, callback: onRead });
  const fill = () => {
    while (sent < options.messages && sent - acked < options.inFlight) {
      const head = headers();
      head.set('Nats-Msg-Id', `m_${sent}`);
      connection.publish('limit.x', payload, { reply: inbox, headers: head });
      sent += 1;
    }
  };
  connection.subscribe(inbox, {
    callback: (_error, message) => {
      JSON.parse(message.string());
      acked += 1;
      fill();
      check();
    },
  });
  fill();
  await finished;
  const perSecond = options.messages / ((performance.now() - startedAt) / 1_000);
  reading.stop();
  await manager.streams.delete('LIMIT');
  await connection.close();
  return perSecond;
}
