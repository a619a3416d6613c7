import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatClient } from '../support/edge/chatClient.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

let system: RunningSystem;
beforeAll(async () => {
  system = await startRunningSystem();
});
afterAll(() => system.remove());

const api = (path: string) => `${system.apiUrl}/api/chat${path}`;

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the test is about
async function parsed(response: Response): Promise<any> {
  return response.json();
}

async function json(path: string, body: object) {
  const init = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  return parsed(await fetch(api(path), init));
}

/** Imports one line. */
async function imported(line: object) {
  const folder = makeTempFolder('import');
  try {
    const path = join(folder, 'lines.jsonl');
    writeFileSync(path, JSON.stringify(line));
    expect((await system.cli('import', path)).exitCode).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a file is uploaded, posted, seen live and in history, downloaded, and counted', async () => {
  const created = await json('/conversations', { userId: 'alice', participantIds: ['bob'] });
  const conversationId = created.conversation.id;
  const bob = new ChatClient(() => system.edgeUrl, 'bob');
  await bob.connect();
  await bob.join(conversationId);

  const bytes = Buffer.alloc(3_000_000, 'a line of a document\n');
  bytes.write('%PDF-1.7\n');
  const form = new FormData();
  form.append('file', new Blob([bytes], { type: 'application/pdf' }), 'Über uns.pdf');
  form.append('conversationId', conversationId);
  form.append('userId', 'alice');
  const uploaded = await fetch(api('/uploads'), { method: 'POST', body: form });
  const { attachment } = await parsed(uploaded);
  expect(uploaded.status).toBe(201);
  expect(attachment).toMatchObject({ name: 'Über uns.pdf', mediaType: 'application/pdf', bytes: 3_000_000 });

  const message = { conversationId, userId: 'alice', content: 'see this', attachments: [attachment] };
  const { position } = await json('/messages', message);
  await waitFor('bob to see it', () => bob.events.length === 2);
  expect(bob.events.at(-1)).toMatchObject({ event: { content: 'see this', attachments: [attachment] } });
  bob.drop();

  const path = `/conversations/${conversationId}/messages?userId=bob&position=${encodeURIComponent(position)}`;
  const { messages } = await parsed(await fetch(api(path)));
  expect(messages.at(-1)).toMatchObject({ content: 'see this', attachments: [attachment] });

  // Files alone, also by an import, are shown in the history and as the latest message of a list.
  const wordless = await json('/messages', { conversationId, userId: 'alice', attachments: [attachment] });
  expect(wordless.message).toMatchObject({ content: '', attachments: [attachment] });
  const line = { room: 'files', at: '2026-11-01T10:00:00Z', user: 'alice', text: 'hello' };
  await imported(line);
  const rooms = async () => (await parsed(await fetch(api('/conversations?userId=alice')))).conversations;
  const room = await waitFor('the room', async () =>
    (await rooms()).find(({ title }: { title: string }) => title === 'files'),
  );
  const own = new FormData();
  own.append('file', new Blob(['# notes'], { type: 'text/markdown' }), 'notes.md');
  own.append('conversationId', room.id);
  own.append('userId', 'alice');
  const { attachment: notes } = await parsed(await fetch(api('/uploads'), { method: 'POST', body: own }));
  const { text: _, ...textless } = line;
  await imported({ ...textless, attachments: [notes.id] });
  await waitFor('the latest messages', async () => {
    const latest = (await rooms()).map(({ lastMessage }: { lastMessage: object }) => lastMessage);
    return latest.length === 2 && latest.every(({ content }: { content: string }) => content === '');
  });
  // A search asks for words, and files have none.
  const found = await parsed(await fetch(api('/search?userId=alice&q=-hello')));
  expect(found.messages).toEqual([]);

  const download = await fetch(`${system.apiUrl}${uploaded.headers.get('location')}?userId=bob`);
  expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
  expect((await fetch(api(`/uploads/${attachment.id}?userId=mallory`))).status).toBe(404);

  const metrics = await (await fetch(`${system.apiUrl}/metrics`)).text();
  expect(metrics).toContain('chat_uploads_total{outcome="stored",reason="stored"} 2');
  expect(Number(/^chat_uploads_bytes (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(3_000_000);
  expect((await system.cli('verify')).stdout).toContain('0 differences');
});

test('a refused upload is counted and logged with its reason, and with nothing of what was in it', async () => {
  const { conversation } = await json('/conversations', { userId: 'alice' });
  const form = new FormData();
  form.append('file', new Blob(['MZ secret of alice'], { type: 'image/png' }), 'holiday.png');
  form.append('conversationId', conversation.id);
  form.append('userId', 'alice');
  const refused = await fetch(api('/uploads'), { method: 'POST', body: form });
  expect(refused.status).toBe(415);
  const { code } = await parsed(refused);

  const line = await waitFor('the line in the log', () =>
    system
      .output()
      .split('\n')
      .find((line) => line.includes('"upload rejected"')),
  );
  expect(JSON.parse(line)).toMatchObject({ component: 'uploads', outcome: 'rejected', reason: code });
  expect(line).not.toMatch(/secret|holiday|alice/);
  const metrics = await (await fetch(`${system.apiUrl}/metrics`)).text();
  expect(metrics).toContain(`chat_uploads_total{outcome="rejected",reason="${code}"} 1`);
});
