import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { call } from '../support/http/httpApi.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { type RunningSystem, startRunningSystem, verified } from '../support/servers/runningSystem.ts';
import { canHaveSmallDisks, openSmallDisk, type SmallDisk } from '../support/servers/smallDisk.ts';
import { waitFor } from '../support/time/waitFor.ts';

const MB = 1_024 ** 2;
const CONTENT = 'x'.repeat(8_000);

/** Where the system lets a test have a disk of its own. */
describe.runIf(canHaveSmallDisks())('a system whose log has a disk that is full', () => {
  let disk: SmallDisk;
  let system: RunningSystem;
  beforeEach(async () => {
    const folder = makeTempFolder('full');
    disk = await openSmallDisk(join(folder, 'nats'), 6 * MB, join(folder, 'nats-server'));
    system = await startRunningSystem({
      CHAT_DATA_DIR: folder,
      NATS_SERVER_BIN: disk.wrap(process.env.NATS_SERVER_BIN ?? 'nats-server'),
    });
  });
  afterEach(async () => {
    await system.remove();
    await disk.close();
  });

  /** The messages of a conversation's whole history. */
  async function shownIds(conversationId: string): Promise<string[]> {
    const ids: string[] = [];
    for (let before = ''; ; ) {
      const path = `/api/chat/conversations/${conversationId}/messages?userId=alice&limit=200${before}`;
      const page = (await call(system.apiUrl, 'GET', path)).body;
      for (const { messageId } of page.messages) ids.push(messageId);
      if (!page.hasMore) return ids;
      before = `&before=${page.messages[0].seq}`;
    }
  }

  test('takes messages again by itself once there is room, and has all that it acknowledged', async () => {
    const post = (path: string, body: object) => call(system.apiUrl, 'POST', `/api/chat${path}`, body);
    const { conversation } = (await post('/conversations', { userId: 'alice', visibility: 'open' })).body;
    const acknowledged = new Set<string>();
    const send = async (): Promise<boolean> => {
      const message = { conversationId: conversation.id, userId: 'alice', content: CONTENT };
      const { status, body } = await post('/messages', message);
      if (status === 201) acknowledged.add(body.message.messageId);
      return status === 201;
    };
    while (await send()) expect(acknowledged.size, 'messages on a disk of 6 MB').toBeLessThan(1_500);
    expect(acknowledged.size).toBeGreaterThan(100);

    disk.resize(256 * MB);
    const before = acknowledged.size;
    const sent: Promise<boolean>[] = [];
    const taken = () => {
      sent.push(send());
      return acknowledged.size > before;
    };
    await waitFor('a message to be taken', taken, { timeoutMs: 300_000, everyMs: 500 });
    await Promise.all(sent);
    expect(system.output()).toContain('logTakesNothing');
    expect(await verified(system)).toContain('0 differences');
    const shown = await shownIds(conversation.id);
    expect([...acknowledged].filter((id) => !shown.includes(id))).toEqual([]);
    expect(new Set(shown).size).toBe(shown.length);
  });
});
