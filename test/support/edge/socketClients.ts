import { io } from 'socket.io-client';
import { messagesLike } from '../documents/documentedFrames.ts';
import { waitFor } from '../time/waitFor.ts';
import { ChatClient, type SeenEvent } from './chatClient.ts';

/** What a request came to, the same over every transport: the answer without `op` and `id`, or the failure in `error`. */
export type SocketAnswer = Record<string, unknown>;

/** A client of the edge, whatever carries its frames. */
export interface SocketClient {
  /** What it was sent, in order. */
  readonly events: readonly SeenEvent[];
  /** @throws Error when the answer is none that the AsyncAPI document knows */
  request(op: string, payload?: object): Promise<SocketAnswer>;
  close(): void;
}

type Connect = (port: number, userId: string) => Promise<SocketClient>;

/** Every way in which clients talk to the edge, by name. */
export const SOCKETS: readonly (readonly [string, Connect])[] = [
  ['a native WebSocket', connectNative],
  ['Socket.IO over WebSocket', (port, userId) => connectSocketIo(port, userId, ['websocket'])],
  ['Socket.IO over long-polling', (port, userId) => connectSocketIo(port, userId, ['polling'])],
];

async function connectNative(port: number, userId: string): Promise<SocketClient> {
  const client = new ChatClient(() => `ws://127.0.0.1:${port}`, userId);
  await client.connect();
  const request = async (op: string, payload = {}) => {
    const { op: answered, id: _, ...answer } = documented('native', await client.request({ ...payload, op }));
    return answered === 'error' ? { error: answer } : answer;
  };
  return { events: client.events, request, close: () => client.drop() };
}

async function connectSocketIo(port: number, userId: string, transports: string[]): Promise<SocketClient> {
  const options = { transports, auth: { userId }, forceNew: true, reconnection: false };
  const socket = io(`http://127.0.0.1:${port}`, options);
  const events: SeenEvent[] = [];
  socket.on('event', (event: SeenEvent) => events.push(event));
  await waitFor('the connection', () => socket.connected);
  const request = async (op: string, payload = {}) =>
    documented('socketio', await socket.timeout(45_000).emitWithAck(op, payload));
  return { events, request, close: () => socket.disconnect() };
}

function documented<T extends SocketAnswer>(channel: string, answer: T): T {
  if (messagesLike(channel, answer).length > 0) return answer;
  throw new Error(`The document knows no such answer: ${JSON.stringify(answer)}`);
}
