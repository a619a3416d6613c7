import type { AddressInfo } from 'node:net';
import express from 'express';
import { z } from 'zod';
import { PipelinedPublisher } from '../../src/eventlog/jetstream/publisher.ts';
import { connectNats } from '../../src/platform/nats/connection.ts';
import { ConnectionWatch } from '../../src/platform/nats/connectionWatch.ts';
import { PUBLISHER } from '../support/log.ts';
import { serveMeasured } from '../support/measured.ts';

/**
 * The bare limit of posting over HTTP: an Express handler with its defaults, `express.json()` and a plain zod schema,
 * that publishes what it got and answers 201 when the log has it. Nobody is asked who may post, nothing is followed,
 * nothing is logged, and trouble is not foreseen.
 */
const Body = z.object({
  conversationId: z.string().min(1).max(64),
  userId: z.string().min(1).max(128),
  clientMessageId: z.string().min(1).max(128),
  content: z.string().min(1).max(8_000),
});

const connection = await connectNats({ url: process.argv[2] ?? '', name: 'bench limit' });
const manager = await connection.jetstreamManager();
await manager.streams.add({ name: 'LIMIT', subjects: ['limit.*'] });
const publisher = new PipelinedPublisher(connection, new ConnectionWatch(connection), PUBLISHER);
const app = express();
app.use(express.json());
app.post('/api/chat/messages', async (req, res) => {
  const message = Body.parse(req.body);
  const event = { type: 'MessagePosted', ...message, at: new Date().toISOString() };
  const bytes = Buffer.from(JSON.stringify(event));
  const result = await publisher.publish({
    subject: `limit.${message.conversationId}`,
    bytes,
    key: message.clientMessageId,
  });
  res.status(201).json({ message: event, ...result });
});
const server = app.listen(0, '127.0.0.1', () => {
  serveMeasured((server.address() as AddressInfo).port);
});
