import fc from 'fast-check';
import {
  BOUNDARY,
  field,
  file,
  GIF_SCRIPT,
  MULTIPART,
  multipart,
  type Part,
  PNG,
  pdf,
  zip,
} from './multipart.ts';

/** A body and what it says it is; nothing: none. */
export interface Sent {
  readonly type?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

const TYPES = [
  'application/octet-stream',
  'image/png',
  'text/plain',
  'application/pdf',
  'text/html',
  'x',
  '',
];
const NAMES = ['a.png', '', '..', '../../x', 'x'.repeat(300), 'a%0d%0ab', 'Ä 😀', 'a"; x="'];
/** The last is larger than the limit of the API that is asked. */
const FILES = [PNG, GIF_SCRIPT, pdf(2_000), zip('a.txt', 'hello'), Buffer.from('hello'), pdf(200_000)];

const rightFile = fc
  .tuple(fc.constantFrom(...FILES), fc.constantFrom('a.png', 'Ä 😀'))
  .map(([bytes, name]) => file(bytes, name));
const oddFile = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...NAMES), fc.constantFrom(...TYPES))
  .map((parts) => file(...parts));
const oddPart: fc.Arbitrary<Part> = fc.oneof(
  oddFile,
  fc.constantFrom('file', 'userId', 'odd', '', '__proto__').map((name) => field(name, 'alice')),
  fc.constantFrom('inline', 'form-data', 'form-data; name=', 'x'.repeat(20_000)).map((disposition) => ({
    disposition,
    body: 'x',
  })),
);

/**
 * Forms with these fields and a file, in any order: right ones, with too much or too little in them, cut off, what is no form
 * at all, and any of it under a type that does not fit.
 */
export function anyForm(fields: readonly fc.Arbitrary<Part>[]): fc.Arbitrary<Sent> {
  const whole = fc.tuple(rightFile, ...fields).chain((parts) => shuffled(parts));
  const odd = fc
    .tuple(whole, fc.array(oddPart, { maxLength: 12 }))
    .chain(([parts, more]) => fc.shuffledSubarray([...parts, ...more]));
  const cut = fc.tuple(whole, fc.double({ min: 0, max: 1, noNaN: true })).map(([parts, share]) => {
    const bytes = multipart(...parts);
    return bytes.subarray(0, Math.floor(bytes.length * share));
  });
  const noise = fc.array(
    fc.oneof(
      fc.constantFrom('\r\n', `--${BOUNDARY}`, '--', 'Content-Disposition: form-data; name="file"', ':', '"'),
      fc.uint8Array({ maxLength: 40 }),
    ),
    { maxLength: 20 },
  );
  const junk = noise.map((pieces) => Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  const right = MULTIPART['Content-Type'];
  const wrong = ['multipart/form-data', `${right}x`, 'multipart/form-data; boundary=', 'application/json'];
  return fc.record({
    type: fc.oneof({ weight: 12, arbitrary: fc.constant(right) }, fc.constantFrom(...wrong)),
    body: fc
      .oneof(
        { weight: 4, arbitrary: whole.map((parts) => multipart(...parts)) },
        { weight: 2, arbitrary: odd.map((parts) => multipart(...parts)) },
        cut,
        junk,
      )
      .map((bytes) => new Uint8Array(bytes)),
  });
}

function shuffled<T>(all: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length });
}
