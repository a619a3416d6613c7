import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { ChatClient } from '../../client/src/chatClient.ts';
import { ChatHttp } from '../../client/src/chatHttp.ts';
import { query } from '../support/servers/postgres.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';

let system: RunningSystem;

beforeAll(async () => {
  system = await startRunningSystem();
});
afterAll(async () => {
  await system.remove();
});

test('what was acknowledged as durable is in Postgres, over HTTP and WebSocket, at first and again', async () => {
  const http = new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  const { conversation } = await http.createConversation();
  const chat = new ChatClient({ url: system.edgeUrl, userId: 'alice', WebSocket });
  try {
    const room = chat.join(conversation.id);
    for (let n = 0; n < 20; n++) {
      const options = { clientMessageId: `k${n}`, level: 'durable' } as const;
      const { seq, level } =
        n % 2 === 0
          ? await http.send(conversation.id, `${n}`, options)
          : await room.send(`${n}`, options).settled.then((sent) => ({ seq: sent.seq, level: sent.state }));
      expect(level).toBe('durable');
      const sql = `SELECT content FROM messages WHERE seq = ${seq}`;
      expect(await query(system.run().postgres?.url ?? '', sql)).toEqual([{ content: `${n}` }]);
    }
    // Long committed, and nothing has been said about it since: the answer does not wait for the deadline.
    const again = await http.send(conversation.id, '0', { clientMessageId: 'k0', level: 'durable' });
    expect(again).toMatchObject({ duplicate: true, level: 'durable' });
  } finally {
    chat.close();
  }
});
