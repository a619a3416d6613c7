import { connectNats } from '../../src/platform/nats/connection.ts';
import { serveMeasured } from '../support/measured.ts';

/** Reads the log with the client library's own ordered consumer and does nothing with it: the bare limit of a tail. */
const connection = await connectNats({ url: process.argv[2] ?? '', name: 'bare reader' });
const consumer = await connection.jetstream().consumers.get('CHAT_EVENTS');
let read = 0;
await consumer.consume({
  max_messages: 4_096,
  callback: (message) => {
    read += message.seq > 0 ? 1 : 0;
  },
});
serveMeasured(read);
