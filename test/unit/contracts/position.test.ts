import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPosition, PositionText, parsePosition } from '../../../src/contracts/position.ts';
import { newEpoch } from '../../../src/platform/ids.ts';

const epoch = fc.stringMatching(/^[A-Za-z0-9]{1,32}$/);
const seq = fc.nat(999_999_999_999_999);

describe('a position', () => {
  it('is read back as what it was made from', () => {
    fc.assert(
      fc.property(epoch, seq, (epoch, seq) => {
        const text = formatPosition(epoch, seq);
        expect(PositionText.safeParse(text).success).toBe(true);
        expect(parsePosition(text)).toEqual({ epoch, seq });
      }),
    );
  });

  it('takes the epochs that the server makes', () => {
    const made = newEpoch();
    expect(parsePosition(formatPosition(made, 7))).toEqual({ epoch: made, seq: 7 });
  });

  it.each([
    '',
    ':',
    'e1',
    'e1:',
    ':1',
    'e1:-1',
    'e1:1.5',
    'e1:1 ',
    ' e1:1',
    'e1:1\n',
    'e.1:1',
    'e1:1:1',
    'e1:1234567890123456',
  ])('is not %j', (text) => {
    expect(parsePosition(text)).toBeNull();
    expect(PositionText.safeParse(text).success).toBe(false);
  });
});
