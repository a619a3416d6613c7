import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { runImport, runImportCheck } from '../../../../src/cli/commands/import.ts';
import { ImportFileError, LINE_BYTES_MAX, readRawLines } from '../../../../src/cli/import/rawLines.ts';
import { MemoryEventLog } from '../../../../src/eventlog/memory/memoryEventLog.ts';
import { type MemoryContext, processOn, storedEvents } from '../../../support/application/application.ts';

let folder: string;
let context: MemoryContext;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chat-import-'));
  context = processOn(new MemoryEventLog());
});
afterEach(() => rm(folder, { recursive: true }));

const LINE = { room: 'general', at: '2026-01-31T12:00:00Z', user: 'alice', text: 'hello' };
const line = (more: object = {}) => JSON.stringify({ ...LINE, ...more });

async function fileOf(contents: string | Buffer, name = 'chat.jsonl'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, contents);
  return path;
}

/** Author and text of every message in the log, in order. */
const imported = async () =>
  (await storedEvents(context.memory)).flatMap((event) =>
    event.type === 'MessagePosted' ? [[event.userId, event.content]] : [],
  );

describe('lines', () => {
  test('end with a line feed, and with nothing else, wherever the file is cut into chunks', async () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('\u2028', '\u0085', '\r', '\v', 'x'.repeat(70_000), 'é'.repeat(40_000)),
    );
    const lines = fc.array(
      piece.map((text) => text.replaceAll('\n', '')),
      { minLength: 1, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(lines, async (texts) => {
        const read: string[] = [];
        for await (const { bytes, number } of readRawLines(await fileOf(`${texts.join('\n')}\n`))) {
          read.push(bytes.toString('utf8'));
          expect(number).toBe(read.length);
        }
        const wanted = texts.map((text) => text.replace(/\r$/, ''));
        // A mark at the beginning is none of the text.
        expect(read).toEqual(wanted.map((text, n) => (n === 0 ? text.replace(/^\ufeff/, '') : text)));
      }),
      { numRuns: 50 },
    );
  });

  test('that are too long are faults, held no longer than that', async () => {
    const file = await fileOf(`${'x'.repeat(3 * LINE_BYTES_MAX)}\n${line()}`);
    const read = [];
    for await (const raw of readRawLines(file)) read.push([raw.isTooLong, raw.bytes.length]);
    expect(read).toEqual([
      [true, LINE_BYTES_MAX],
      [false, line().length],
    ]);
  });
});

it.each([
  ['with a byte order mark', Buffer.from(`\ufeff${line()}\n`), 'chat.jsonl'],
  ['with line ends of Windows', Buffer.from(`${line()}\r\n\r\n`), 'chat.jsonl'],
  ['without a line end', Buffer.from(line()), 'chat.jsonl'],
  ['compressed', gzipSync(line()), 'chat.jsonl.gz'],
  ['with a time of another zone', Buffer.from(line({ at: '2026-01-31T14:00:00+02:00' })), 'chat.jsonl'],
])('a file is imported: %s', async (_what, contents, name) => {
  expect((await runImport(context, await fileOf(contents, name), {})).json).toMatchObject({
    messages: 1,
    skipped: 0,
  });
  const [, posted] = await storedEvents(context.memory);
  expect(posted).toMatchObject({ userId: 'alice', content: 'hello', at: '2026-01-31T12:00:00.000Z' });
});

test('separators of Unicode are text', async () => {
  await runImport(
    context,
    await fileOf(`{"room":"a","at":"2026-01-31T12:00:00Z","user":"a","text":"one\u2028two\u2029"}`),
    {},
  );
  expect(await imported()).toEqual([['a', 'one\u2028two\u2029']]);
});

/** What cannot be imported, and what is said about it. */
const FAULTS: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['Latin-1', Buffer.from(line({ text: 'zoé' }), 'latin1'), /not UTF-8/],
  ['no JSON', '12:00 <alice> hello', /not JSON/],
  ['a list', '["hello"]', /the line: .*object/],
  ['a missing field', JSON.stringify({ ...LINE, at: undefined }), /at: /],
  ['a time in words', line({ at: 'yesterday' }), /ISO 8601/],
  ['a time without a zone', line({ at: '2026-01-31T12:00:00' }), /ISO 8601/],
  ...['0000-01-01', '0001-01-01', '1969-12-31', '2200-01-01', '2300-01-01', '9999-12-31'].map(
    (day) =>
      [`the year of ${day}`, line({ at: `${day}T23:00:00Z` }), /at: must be from 1970 to 2199/] as const,
  ),
  ['the year before by its zone', line({ at: '1970-01-01T01:00:00+02:00' }), /from 1970 to 2199/],
  ['a name with bidi controls', line({ user: '\u202a+49 170\u202c' }), /user: must be 1–128 printable/],
  ['a name with joiners', line({ user: 'a\u200db' }), /user: must be 1–128 printable/],
  ['no text', line({ text: '' }), /text: /],
  ['a long text', line({ text: 'x'.repeat(8_001) }), /text: /],
];

describe.each(FAULTS)('a line with %s', (_what, bad, fault) => {
  const contents = () =>
    Buffer.concat([
      Buffer.from(`${line()}\n`),
      Buffer.from(bad),
      Buffer.from(`\n${line({ text: 'bye' })}\n`),
    ]);

  it('stops the import before anything is imported, and says which line and why', async () => {
    const file = await fileOf(contents());
    const message = await runImport(context, file, {}).then(String, (error: Error) => error.message);
    expect(message).toMatch(fault);
    for (const part of [
      '1 lines',
      'line 2: ',
      '{"room":"general"',
      'Nothing was imported',
      '--on-error skip',
    ])
      expect(message).toContain(part);
    expect(await storedEvents(context.memory)).toEqual([]);
  });

  it('is found by a dry run, and left out on request: a report has it as it is', async () => {
    const file = await fileOf(contents());
    const dry = await runImportCheck(file, {});
    expect([dry.exitCode, dry.json]).toEqual([1, expect.objectContaining({ messages: 2, faulty: 1 })]);
    expect(dry.text).toMatch(fault);
    const report = join(folder, 'left-out.jsonl');
    const outcome = await runImport(context, file, { onError: 'skip', report });
    expect(outcome.json).toMatchObject({ messages: 2, skipped: 1, report });
    expect(await imported()).toEqual([
      ['alice', 'hello'],
      ['alice', 'bye'],
    ]);
    const rejected = JSON.parse(await readFile(report, 'utf8'));
    expect(rejected).toMatchObject({ line: 2, fault: expect.stringMatching(fault) });
    const original =
      rejected.base64 === undefined ? Buffer.from(rejected.text) : Buffer.from(rejected.base64, 'base64');
    expect(original.equals(Buffer.from(bad))).toBe(true);
  });
});

it('takes times from the first to the last of the range', async () => {
  const days = ['1970-01-01T00:00:00Z', '2199-12-31T23:59:59.999Z'];
  const file = await fileOf(days.map((at) => line({ at })).join('\n'));
  expect((await runImport(context, file, {})).json).toMatchObject({ messages: 2 });
});

it('says of a file of UTF-16 what to do', async () => {
  const file = await fileOf(Buffer.from(`\ufeff${line()}`, 'utf16le'));
  await expect(runImportCheck(file, {})).rejects.toThrow(/is UTF-16.*iconv/);
});

it('cleans names on request, and says of how many', async () => {
  const file = await fileOf(
    [line({ user: '\u202a+49 170\u202c' }), line({ user: '👨\u200d👩' }), line()].join('\n'),
  );
  expect((await runImport(context, file, { cleanNames: true })).json).toMatchObject({
    messages: 3,
    cleaned: 2,
  });
  expect((await imported()).map(([user]) => user)).toEqual(['+49 170', '👨👩', 'alice']);
});

it('splits long texts on request into what is said when the parts are read one after the other', async () => {
  const word = fc.stringMatching(/^[a-zé👋]{1,300}$/u);
  await fc.assert(
    fc.asyncProperty(fc.array(word, { minLength: 60, maxLength: 200 }), async (words) => {
      context = processOn(new MemoryEventLog());
      const text = words.join(' ');
      const file = await fileOf(`${line({ text })}\n${line({ text })}`);
      const first = await runImport(context, file, { splitLong: true });
      const parts = (await imported()).map(([, part]) => part);
      expect(parts.join('')).toBe(text + text);
      for (const part of parts) expect(Array.from(part ?? '').length).toBeLessThanOrEqual(8_000);
      const again = await runImport(context, file, { splitLong: true });
      expect(again.json).toMatchObject({ alreadyThere: parts.length });
      expect(first.json).toMatchObject({ messages: parts.length, alreadyThere: 0 });
    }),
    { numRuns: 20 },
  );
});

describe('a file that is newest first', () => {
  const texts = ['three', 'two', 'one'];
  const contents = texts.map((text, n) => line({ text, at: `2026-01-31T12:00:0${9 - n}Z` })).join('\n');

  it('is refused, with what to do', async () => {
    const file = await fileOf(contents);
    await expect(runImport(context, file, {})).rejects.toThrow(/newest first.*--sort/);
    expect((await runImportCheck(file, {})).text).toContain('--sort');
    expect(await storedEvents(context.memory)).toEqual([]);
  });

  it('is sorted on request', async () => {
    await runImport(context, await fileOf(contents), { sort: true });
    expect((await imported()).map(([, text]) => text)).toEqual(['one', 'two', 'three']);
  });

  it('is told from one with a few lines out of place, and from several rooms one after the other', async () => {
    const rooms = ['b', 'a'].flatMap((room) =>
      [5, 6, 4, 7].map((s) => line({ room, at: `2026-01-31T12:00:0${s}Z` })),
    );
    const file = await fileOf(rooms.join('\n'));
    expect((await runImport(context, file, {})).json).toMatchObject({ messages: 8 });
  });
});

it('never writes the report over the file, and says when it cannot be written', async () => {
  const file = await fileOf('no JSON');
  await expect(runImportCheck(file, { report: file })).rejects.toThrow(/is the file to import/);
  const nowhere = join(folder, 'no such folder', 'report');
  await expect(runImportCheck(file, { report: nowhere })).rejects.toThrow(/cannot be written.*--report/);
  await expect(runImportCheck(join(folder, 'absent'), {})).rejects.toThrow(ImportFileError);
  expect(await readFile(file, 'utf8')).toBe('no JSON');
});
