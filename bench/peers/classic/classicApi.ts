import type { AddressInfo } from 'node:net';
import { PrismaPg } from '@prisma/adapter-pg';
import express from 'express';
import { z } from 'zod';
import { serveMeasured } from '../../support/measured.ts';
import { openClassicClient } from './generate.ts';

/**
 * What many would start with: Express and Prisma, a row for each message. It looks whether the conversation exists and
 * inserts the message; the answer comes after the commit. No sockets, no live delivery, no log lines, and a repeated
 * request stores the message again.
 */
const CONNECTIONS = 16;

const Body = z.object({
  conversationId: z.string().min(1).max(64),
  userId: z.string().min(1).max(128),
  clientMessageId: z.string().min(1).max(128),
  content: z.string().min(1).max(8_000),
});

const prisma = openClassicClient(new PrismaPg({ connectionString: process.argv[2] ?? '', max: CONNECTIONS }));
const app = express();
app.use(express.json());
app.post('/api/chat/messages', async (req, res) => {
  const data = Body.parse(req.body);
  const where = { id: data.conversationId };
  const conversation = await prisma.conversation.findUnique({ where, select: { id: true } });
  if (conversation === null) return void res.status(404).json({ error: 'There is no such conversation' });
  const message = await prisma.message.create({ data });
  res.status(201).json({ message: { ...message, id: String(message.id) } });
});
const server = app.listen(0, '127.0.0.1', () => {
  serveMeasured((server.address() as AddressInfo).port);
});
