import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * An HTTP/1.1 connection that costs next to nothing, so that what is measured is the server: one request at a time, as
 * text that is made already; of the answer only the status is looked at and the length, to know where it ends.
 */
export class RawHttp {
  readonly #socket: Socket;
  #onAnswer: (status: number) => void = () => {};
  #head = '';
  #status = 0;
  /** What is still to come of the body, in bytes. */
  #left = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('close', () => this.#onAnswer(0));
  }

  static open(port: number): Promise<RawHttp> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawHttp(socket)));
    });
  }

  /** Sends a request; the one before must have been answered. The status is 0 when the connection was lost. */
  ask(request: string, onAnswer: (status: number) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  close(): void {
    this.#onAnswer = () => {};
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left > 0) this.#left -= chunk.length;
    else {
      const end = this.#head === '' ? chunk.indexOf(HEAD_END, 0, 'latin1') : -1;
      if (end < 0) return this.#readSplitHead(chunk);
      this.#begin(chunk.toString('latin1', 0, end), chunk.length - end - HEAD_END.length);
    }
    if (this.#left === 0) this.#onAnswer(this.#status);
  }

  /** Rare: the head of an answer came in pieces. */
  #readSplitHead(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.#head;
    this.#head = '';
    this.#begin(head.slice(0, end), head.length - end - HEAD_END.length);
    if (this.#left === 0) this.#onAnswer(this.#status);
  }

  #begin(head: string, bodyBytes: number): void {
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
    if (length === undefined) throw new Error(`An answer without a length: ${head}`);
    this.#status = Number(head.slice(9, 12));
    this.#left = Number(length) - bodyBytes;
  }
}

/** A request without a body. */
export function getRequest(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
}

export function postRequest(path: string, json: string): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n`;
  return `${head}Content-Length: ${Buffer.byteLength(json)}${HEAD_END}${json}`;
}
