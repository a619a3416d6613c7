import type { AddressInfo } from 'node:net';
import express from 'express';
import pg from 'pg';
import { messagesStatement } from '../../src/queries/readMessages.ts';
import { serveMeasured } from '../support/measured.ts';

/**
 * The bare limit of reading history over HTTP: an Express handler with its defaults around the statement of the API, over
 * `pg`, with as many connections. The JSON is passed through as Postgres built it. Nothing is checked, nobody is asked who
 * may see it, nothing is logged, and a database that is away is not foreseen.
 */
const pool = new pg.Pool({ connectionString: process.argv[2] ?? '', max: 10 });
const CONVERSATION = '$conversation';
const { text, values } = messagesStatement({ conversationId: CONVERSATION, limit: 50 });
const app = express();
app.get('/api/chat/conversations/:conversationId/messages', async (req, res) => {
  const asked = values.map((value) => (value === CONVERSATION ? req.params.conversationId : value));
  const { rows } = await pool.query<{ messages: string; has_more: boolean }>(text, asked);
  res.type('json').send(`{"messages":${rows[0]?.messages},"hasMore":${rows[0]?.has_more}}`);
});
const server = app.listen(0, '127.0.0.1', () => {
  serveMeasured((server.address() as AddressInfo).port);
});
