import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  /** By name in lower case; of several of a name, the last. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are and reads until the other side closes, or the connection breaks. */
export async function exchange(port: number, request: string | Uint8Array): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(typeof request === 'string' ? Buffer.from(request, 'latin1') : request);
  return readAll(socket);
}

/** All that comes until the end, whatever end it is. */
export async function readAll(socket: Socket): Promise<string> {
  let read = '';
  socket.on('data', (chunk) => {
    read += chunk.toString('latin1');
  });
  await text(socket).catch(() => '');
  return read;
}

/** The answers in what came over one connection; those with a body must say how long it is. */
export function answersIn(raw: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = raw; rest !== ''; ) {
    const [head = '', body = ''] = rest.split(/\r\n\r\n(.*)/s);
    const [statusLine = '', ...lines] = head.split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const [name = '', value = ''] = line.split(/: (.*)/s);
        return [name.toLowerCase(), value];
      }),
    );
    const length = Number(headers['content-length'] ?? body.length);
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body: body.slice(0, length) });
    rest = body.slice(length);
  }
  return answers;
}
