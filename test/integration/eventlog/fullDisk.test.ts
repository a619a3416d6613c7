import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedNats } from '../../../src/platform/embedded/natsServer.ts';
import { type OpenedLog, openTestLog, storedKeys } from '../../support/eventlog/jetStreamLog.ts';
import { type Answer, startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { makeTempFolder } from '../../support/run/testRun.ts';
import { canHaveSmallDisks, openSmallDisk, type SmallDisk } from '../../support/servers/smallDisk.ts';
import { startTestServer, type TestServer } from '../../support/servers/testServer.ts';
import { waitFor } from '../../support/time/waitFor.ts';

const MB = 1_024 ** 2;
const CONTENT = 'x'.repeat(8_000);

/** Where the system lets a test have a disk of its own. */
describe.runIf(canHaveSmallDisks())('while the disk under nats-server is full', () => {
  let disk: SmallDisk;
  let nats: TestServer;
  let opened: OpenedLog;
  let api: TestApi;
  let id: string;
  beforeEach(async () => {
    const dataDir = makeTempFolder('nats');
    disk = await openSmallDisk(join(dataDir, 'nats'), 4 * MB, join(dataDir, 'nats-server'));
    const binary = disk.wrap(process.env.NATS_SERVER_BIN ?? 'nats-server');
    nats = await startTestServer(dataDir, (folder, port) =>
      startEmbeddedNats({ dataDir: folder, binary, port, fileStoreBytesMax: 1_024 * MB }),
    );
    opened = await openTestLog(nats.url, { publisher: { deadlineMs: 4_000 } });
    const { log } = opened;
    api = await startTestApi({ log: () => log, feed: log, health: { logState: () => log.state } });
    const conversation = { userId: 'alice', visibility: 'open' };
    id = (await api.call('POST', '/api/chat/conversations', conversation)).body.conversation.id;
  });
  afterEach(async () => {
    await api.stop();
    await opened.close();
    await nats.stop();
    await disk.close();
  });

  const post = (key: string): Promise<Answer> => {
    const message = { conversationId: id, userId: 'alice', content: CONTENT, clientMessageId: key };
    return api.call('POST', '/api/chat/messages', message);
  };

  it('sends are refused honestly, reads go on, and after room and a restart nothing acknowledged is missing or doubled', async () => {
    const outcomes = new Map<string, number>();
    const send = async (key: string) => {
      const answer = await post(key);
      outcomes.set(key, answer.status);
      return answer;
    };
    for (let n = 0; [...outcomes.values()].at(-1) !== 504; n++) {
      expect(n, 'messages that went onto a disk of 4 MB').toBeLessThan(1_000);
      await send(`m${n}`);
    }
    const acknowledged = [...outcomes].filter(([, status]) => status === 201).map(([key]) => key);
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(outcomes.size).toBe(acknowledged.length + 1);

    // Whoever tries again waits for an answer; meanwhile all others are refused.
    await waitFor('the log to be tried again', () => opened.log.state === 'available');
    const trying = send('trying');
    await waitFor('the log to count as away', () => opened.log.state === 'unavailable');
    expect((await api.call('GET', '/health/stream')).body.state).toMatch(/^(unavailable|probing)$/);
    const refused = await send('refused');
    expect([refused.status, refused.body.code]).toEqual([503, 'log_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const page = await api.call('GET', `/api/chat/conversations/${id}/messages?userId=alice&limit=1`);
    expect([page.status, page.body.source]).toEqual([200, 'log']);
    expect((await trying).status).toBe(504);

    disk.resize(64 * MB);
    await nats.restart();
    await waitFor('the log to be back', () => opened.log.state === 'available');
    expect((await send('after')).status).toBe(201);
    // What is not known is settled by the same request again.
    for (const [key, status] of outcomes) {
      if (status === 504) expect([200, 201]).toContain((await post(key)).status);
    }
    const stored = await storedKeys(opened.log);
    const wanted = [...outcomes].filter(([, status]) => status !== 503).map(([key]) => key);
    expect(stored.toSorted()).toEqual(wanted.toSorted());
    expect(stored.slice(0, acknowledged.length)).toEqual(acknowledged);
  });
});
