import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { systemIds } from '../../src/platform/ids.ts';
import { openTestLog } from '../support/eventlog/jetStreamLog.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { waitFor } from '../support/time/waitFor.ts';
import { eventLogContract } from './eventLogContract.ts';

eventLogContract('the log on JetStream', async () => {
  const server = await startTestNats();
  const { log, close } = await openTestLog(server.url);
  return {
    log,
    close: async () => {
      await close();
      await server.stop();
    },
  };
});

test('the bytes of an erased event are not on the disk any more', async () => {
  const server = await startTestNats();
  const opened = await openTestLog(server.url);
  try {
    const conversationId = systemIds.conversationId();
    const append = async (text: string) => {
      const request = { conversationId, category: 'message', bytes: Buffer.from(text) } as const;
      const result = await opened.log.append({ ...request, idempotencyKey: systemIds.idempotencyKey() });
      return result.outcome === 'stored' ? result.seq : 0;
    };
    await append('kept before');
    const secret = await append('a secret of somebody');
    await append('kept after');
    expect(await onDisk(server.dataDir, 'kept after')).toBe(true);
    expect(await onDisk(server.dataDir, 'a secret of somebody')).toBe(true);
    expect(await opened.log.erase(secret)).toBe(true);
    expect(await onDisk(server.dataDir, 'a secret of somebody')).toBe(false);
    expect(await onDisk(server.dataDir, 'kept after')).toBe(true);
  } finally {
    await opened.close();
    await server.stop();
  }
});

test('a process that only reads knows how far it read, of headers too, and forgets with the epoch', async () => {
  const server = await startTestNats();
  const [writer, reader] = [await openTestLog(server.url), await openTestLog(server.url)];
  try {
    const conversationId = systemIds.conversationId();
    const request = { conversationId, category: 'message', bytes: Buffer.from('read') } as const;
    await writer.log.append({ ...request, idempotencyKey: systemIds.idempotencyKey() });
    expect([writer.log.knownSeq, reader.log.knownSeq]).toEqual([1, 0]);
    const following = await reader.log.follow({ after: 0, headersOnly: true, onEvent: () => {} });
    await waitFor('the event to be read', () => reader.log.knownSeq === 1);
    await following.stop();
    await writer.log.renewEpoch({ from: writer.log.epoch });
    await reader.log.status();
    expect([writer.log.knownSeq, reader.log.knownSeq]).toEqual([0, 0]);
  } finally {
    await reader.close();
    await writer.close();
    await server.stop();
  }
});

/** Whether any file of a server holds these bytes. */
async function onDisk(folder: string, text: string): Promise<boolean> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const contents = files
    .filter((file) => file.isFile())
    .map((file) => readFile(`${file.parentPath}/${file.name}`));
  return (await Promise.all(contents)).some((bytes) => bytes.includes(text));
}
