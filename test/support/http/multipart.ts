import { crc32, deflateRawSync } from 'node:zlib';

/** A part of a form, its headers as they are sent. */
export interface Part {
  readonly disposition: string;
  readonly type?: string | undefined;
  readonly body: Uint8Array | string;
}

export const BOUNDARY = 'xX-boundary-Xx';
export const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };

export function field(name: string, value: string): Part {
  return { disposition: `form-data; name="${name}"`, body: value };
}

export function file(body: Uint8Array | string, name = 'a.bin', type = 'application/octet-stream'): Part {
  return { disposition: `form-data; name="file"; filename="${name}"`, type, body };
}

/** A form with its parts in this order. */
export function multipart(...parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ disposition, type, body }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: ${disposition}\r\n${type === undefined ? '' : `Content-Type: ${type}\r\n`}\r\n`,
    ),
    Buffer.from(body),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

/** A PDF as far as its beginning tells, and a PNG that is one. */
export function pdf(length: number): Buffer {
  const bytes = Buffer.alloc(length, 'stream of a document ');
  bytes.write('%PDF-1.7\n');
  return bytes;
}

export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** Both a GIF and, to whoever looks for it, a script. */
export const GIF_SCRIPT = Buffer.from(
  'GIF89a/*\u0001\u0000*/=1;alert(document.domain)//<script>alert(1)</script>',
  'latin1',
);

/** A zip archive of one deflated file. */
export function zip(name: string, content: string): Buffer {
  const data = deflateRawSync(content);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(8, 8);
  header.writeUInt32LE(crc32(content), 14);
  header.writeUInt32LE(data.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(name.length, 26);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  return Buffer.concat([header, Buffer.from(name), data, end]);
}
