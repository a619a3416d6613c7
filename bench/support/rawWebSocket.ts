import { connect, type Socket } from 'node:net';

/**
 * A WebSocket client that costs next to nothing, so that what is measured is the server: frames are written with a mask
 * of zeros, which leaves the payload as it is, many to one write.
 */
export class RawWebSocket {
  readonly #socket: Socket;
  readonly #onFrames: (frames: string[]) => void;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, onFrames: (frames: string[]) => void) {
    this.#socket = socket;
    this.#onFrames = onFrames;
    socket.on('data', (chunk) => this.#read(chunk));
  }

  static open(port: number, userId: string, onFrames: (frames: string[]) => void): Promise<RawWebSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.write(
        `GET /ws?userId=${userId} HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      );
      socket.once('data', (head) => {
        if (!head.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error(head.toString('latin1')));
        else resolve(new RawWebSocket(socket, onFrames));
      });
    });
  }

  send(texts: readonly string[]): void {
    this.#socket.write(Buffer.concat(texts.map(encodeFrame)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    let data: Buffer = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const frames: string[] = [];
    for (let frame = decodeFrame(data); frame !== null; frame = decodeFrame(data)) {
      frames.push(frame.text);
      data = data.subarray(frame.bytes);
    }
    this.#rest = data;
    if (frames.length > 0) this.#onFrames(frames);
  }
}

/** A whole text frame from a client. Source: RFC 6455, section 5.2. */
function encodeFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

function decodeFrame(data: Buffer): { text: string; bytes: number } | null {
  const short = (data[1] ?? 0) & 0x7f;
  const headBytes = short < 126 ? 2 : 4;
  if (data.length < headBytes) return null;
  const length = short < 126 ? short : data.readUInt16BE(2);
  if (data.length < headBytes + length) return null;
  return { text: data.toString('latin1', headBytes, headBytes + length), bytes: headBytes + length };
}
