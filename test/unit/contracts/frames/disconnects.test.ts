import { expect, test } from 'vitest';
import { generateDocs } from '../../../../src/cli/docs/generateDocs.ts';
import { DISCONNECTS } from '../../../../src/contracts/frames/disconnects.ts';

const entries = Object.entries(DISCONNECTS);

test('the codes, reasons and labels are those of the protocol', () => {
  const rows = entries.map(([name, { code, reason, metric }]) => [name, code, reason, metric]);
  expect(rows).toEqual([
    ['unsupportedData', 1003, 'frames are JSON text', 'policy'],
    ['policy', 1008, 'policy', 'policy'],
    ['tooLarge', 1009, 'frames have at most 131072 bytes', 'too_large'],
    ['overloaded', 1013, 'overloaded', 'overloaded'],
    ['slowConsumer', 4008, 'slow consumer: resume from the last event', 'slow_consumer'],
    ['draining', 4012, 'draining', 'draining'],
  ]);
});

test('no code stands for two disconnects, and each reason fits into a close frame', () => {
  expect(new Set(entries.map(([, { code }]) => code)).size).toBe(entries.length);
  // RFC 6455, 5.5: a control frame carries 125 bytes, of which the code takes two.
  for (const [, { reason }] of entries) expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123);
});

test('docs/errors.md shows each, row by row', () => {
  const page = generateDocs().get('docs/errors.md') ?? '';
  const rows = [...page.matchAll(/^\| (\d{4}) \| `(\w+)` \| (.+) \| (yes|no) \| `(\w+)` \|$/gm)];
  expect(rows.map(([, ...cells]) => cells)).toEqual(
    entries.map(([name, { code, reason, reconnect, metric }]) => {
      return [String(code), name, reason, reconnect ? 'yes' : 'no', metric];
    }),
  );
});
