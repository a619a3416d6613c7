import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALLOWED_TYPES, mediaTypeOf, SNIFF_BYTES } from '../../../../src/http/uploads/mediaType.ts';
import { isTextType } from '../../../../src/http/uploads/textTypes.ts';
import { PNG, pdf, zip } from '../../../support/http/multipart.ts';

const OCTETS = 'application/octet-stream';
/** How binary formats begin whose magic bytes are letters. */
const BEGINNINGS = [
  '',
  'BM',
  'GIF89a',
  'ID3',
  'MZ',
  'PK',
  'RIFF',
  'OggS',
  'fLaC',
  'Rar!',
  '%!PS',
  '{\\rtf',
  '<?xml',
  '#!',
];

/** Text without control characters but those that text has. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
      fc.constantFrom(...'\t\n\f\r'),
    ),
  })
  .filter((value) => value.isWellFormed() && !/[^\P{Cc}\t\n\f\r]/u.test(value));
const anyText = fc.tuple(fc.constantFrom(...BEGINNINGS), text).map((parts) => parts.join(''));
const encodings = {
  'utf-8': (value: string) => Buffer.from(value),
  'utf-16le': (value: string) => Buffer.from(`\ufeff${value}`, 'utf16le'),
  'utf-16be': (value: string) => Buffer.from(`\ufeff${value}`, 'utf16le').swap16(),
};

describe('the type of a file', () => {
  it.each(Object.entries(encodings))(
    'is text for any text in %s, whatever it begins with',
    async (encoding, encode) => {
      await fc.assert(
        fc.asyncProperty(anyText, fc.boolean(), async (value, marked) => {
          const bytes = encode(marked && encoding === 'utf-8' ? `\ufeff${value}` : value);
          expect(await mediaTypeOf(bytes, OCTETS)).toEqual({ mediaType: 'text/plain', encoding });
        }),
      );
    },
  );

  it('of a text is found also when its beginning ends within a character', async () => {
    const head = Buffer.from('ä'.repeat(SNIFF_BYTES)).subarray(0, SNIFF_BYTES - 1);
    expect(await mediaTypeOf(head, 'text/plain')).toEqual({ mediaType: 'text/plain', encoding: 'utf-8' });
  });

  it('of a text is one that no page can run or show, whatever a client declares', async () => {
    const declared = fc.oneof(
      fc.stringMatching(/^(text|application)\/[a-z.+-]{1,20}$/),
      fc.constantFrom(
        'text/html',
        'application/xhtml+xml',
        'text/xml',
        'application/javascript',
        'TEXT/CSS',
        '',
      ),
    );
    await fc.assert(
      fc.asyncProperty(declared, async (type) => {
        const found = await mediaTypeOf(Buffer.from('<script>'), type).catch(() => null);
        expect(found === null || isTextType(found.mediaType)).toBe(true);
        expect(found?.mediaType ?? '').not.toMatch(/html|xml|script|css/);
      }),
    );
  });

  const chunk = (start: string) => Buffer.concat([Buffer.from(start, 'latin1'), Buffer.alloc(60)]);
  const samples: [string, Buffer][] = [
    ['image/png', PNG],
    ['image/jpeg', Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex')],
    ['image/gif', chunk('GIF89a\x01\0\x01\0\x80\0\0')],
    ['image/webp', chunk('RIFF\x24\0\0\0WEBPVP8 ')],
    ['image/avif', chunk('\0\0\0\x18ftypavif\0\0\0\0avifmif1')],
    ['application/pdf', pdf(5_000)],
    ['application/pdf', Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'latin1')],
    [
      'audio/mpeg',
      Buffer.concat([
        Buffer.from('ID3\x04\0\0\0\0\x0f\x7f', 'latin1'),
        Buffer.alloc(2_047),
        Buffer.from('fffb9064', 'hex'),
        Buffer.alloc(500),
      ]),
    ],
    ['audio/mpeg', chunk('\xff\xfb\x90\x64')],
    ['audio/ogg', chunk(`OggS\0\x02${'\0'.repeat(22)}OpusHead`)],
    ['audio/wav', chunk('RIFF\x24\0\0\0WAVEfmt ')],
    ['video/mp4', chunk('\0\0\0\x18ftypmp42\0\0\0\0mp42isom')],
    ['video/webm', Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878102', 'hex')],
    ['application/zip', zip('a.txt', 'hello')],
  ];
  it.each(samples)('%s is found by its bytes, declared or not', async (mediaType, bytes) => {
    for (const declared of [OCTETS, 'text/plain', mediaType]) {
      expect(await mediaTypeOf(bytes, declared)).toEqual({ mediaType, encoding: null });
    }
    await expect(mediaTypeOf(bytes, 'text/csv')).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });

  it('is found by the bytes for every type that is taken', () => {
    expect(new Set(samples.map(([type]) => type))).toEqual(ALLOWED_TYPES);
  });

  it.each([
    ['a Windows program', chunk('MZ\x90\0\x03\0\0\0')],
    ['a Linux program', chunk('\x7fELF\x02\x01\x01')],
    ['a bitmap', chunk('BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0')],
    ['bytes that are nothing', Buffer.from([0, 1, 2, 3])],
  ])('of %s is refused', async (_what, bytes) => {
    await expect(mediaTypeOf(bytes, OCTETS)).rejects.toMatchObject({ code: 'unsupported_media_type' });
  });
});
