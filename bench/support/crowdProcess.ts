import { connect, type Socket } from 'node:net';
import type { CrowdOptions } from './crowd.ts';

/** Frames shorter than this are answers and pings of the protocol. */
const COUNTED_BYTES_MIN = 100;
const OPENING_AT_A_TIME = 200;

let frames = 0;

/** Walks over frames without looking into them. Server frames have no mask. Source: RFC 6455, section 5.2. */
class FrameCounter {
  #header = Buffer.alloc(0);
  #skip = 0;
  /** All frames, short ones included. */
  all = 0;

  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      const left =
        this.#header.length === 0 ? chunk.subarray(at) : Buffer.concat([this.#header, chunk.subarray(at)]);
      const short = (left[1] ?? 0) & 0x7f;
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (left.length < headBytes) {
        this.#header = Buffer.from(left);
        return;
      }
      at += headBytes - this.#header.length;
      this.#header = Buffer.alloc(0);
      this.#skip =
        short < 126 ? short : short === 126 ? left.readUInt16BE(2) : Number(left.readBigUInt64BE(2));
      this.all += 1;
      if (this.#skip >= COUNTED_BYTES_MIN) frames += 1;
    }
  }
}

process.on('message', (message: CrowdOptions | 'frames?') => {
  if (message === 'frames?') process.send?.(frames);
  else void openAll(message).then(() => process.send?.('open'));
});
process.on('disconnect', () => process.exit(0));

async function openAll(options: CrowdOptions): Promise<void> {
  for (let opened = 0; opened < options.sockets; opened += OPENING_AT_A_TIME) {
    const now = Math.min(OPENING_AT_A_TIME, options.sockets - opened);
    await Promise.all(Array.from({ length: now }, (_, n) => open(options, opened + n)));
  }
}

function open({ port, path, hello = [] }: CrowdOptions, n: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    socket.once('error', reject);
    const url = path.replace('{n}', `${process.pid}-${n}`);
    socket.write(
      `GET ${url} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    const counter = new FrameCounter();
    let upgraded = false;
    let said = 0;
    const greet = () => {
      // One answer for each greeting, and with Engine.IO one before the first.
      while (said < hello.length && counter.all >= said + (path.startsWith('/socket.io') ? 1 : 0)) {
        say(socket, hello[said] ?? '');
        said += 1;
      }
      if (said === hello.length && counter.all >= said) resolve();
    };
    socket.on('data', (chunk: Buffer) => {
      if (upgraded) counter.take(chunk);
      else {
        if (!chunk.toString('latin1', 0, 12).endsWith('101'))
          return reject(new Error(chunk.toString('latin1')));
        upgraded = true;
        const end = chunk.indexOf('\r\n\r\n') + 4;
        if (end < chunk.length) counter.take(chunk.subarray(end));
      }
      greet();
    });
  });
}

function say(socket: Socket, text: string): void {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  socket.write(Buffer.concat([head, payload]));
}
