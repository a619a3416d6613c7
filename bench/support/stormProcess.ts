import { RawWebSocket } from './rawWebSocket.ts';

/** The instructions of a storm's clients. */
export type StormOrder =
  | {
      readonly do: 'connect';
      readonly port: number;
      readonly conversationIds: readonly string[];
      readonly clients: number;
    }
  | { readonly do: 'accept'; readonly port: number; readonly clients: number }
  | { readonly do: 'drop' }
  | { readonly do: 'report' };

export interface StormReport {
  /** Events that all clients have seen together. */
  readonly events: number;
  /** Links that did not fit what a client had seen: gaps and repeats. */
  readonly faults: number;
  /** Clients whose last event is not the last of their conversation, by its sequence. */
  readonly lastSeqs: Readonly<Record<string, readonly number[]>>;
}

/** A client as the protocol means it: it checks links and comes back with the last event it saw. */
class StormClient {
  readonly conversationId: string;
  lastSeq = 0;
  events = 0;
  faults = 0;
  socket: RawWebSocket | null = null;

  constructor(conversationId: string) {
    this.conversationId = conversationId;
  }

  /** Resolves when the server has said that the client is joined. */
  async connect(port: number, name: string): Promise<void> {
    let onJoined = () => {};
    const joined = new Promise<void>((resolve) => {
      onJoined = resolve;
    });
    this.socket = await RawWebSocket.open(port, name, (frames) => {
      for (const frame of frames) {
        if (frame.startsWith('{"op":"event"')) this.#take(frame);
        else if (frame.startsWith('{"op":"joined"')) onJoined();
        else this.faults += 1;
      }
    });
    this.socket.send([
      `{"op":"join","id":1,"conversationId":"${this.conversationId}","after":${this.lastSeq}}`,
    ]);
    await joined;
  }

  #take(frame: string): void {
    const [, seq, prev] = /^\{"op":"event","seq":(\d+),"prev":(\d+)/.exec(frame) ?? [];
    if (Number(prev) !== this.lastSeq) this.faults += 1;
    this.lastSeq = Number(seq);
    this.events += 1;
  }
}

const clients: StormClient[] = [];
let accepted: RawWebSocket[] = [];

process.on('message', (order: StormOrder) => void perform(order));
process.on('disconnect', () => process.exit(0));

async function perform(order: StormOrder): Promise<void> {
  switch (order.do) {
    case 'connect':
      for (let n = clients.length; n < order.clients; n++) {
        clients.push(new StormClient(order.conversationIds[n % order.conversationIds.length] ?? ''));
      }
      await Promise.all(clients.map((client, n) => client.connect(order.port, `storm-${process.pid}-${n}`)));
      return reply('connected');
    case 'accept':
      accepted = await Promise.all(
        Array.from({ length: order.clients }, (_, n) => RawWebSocket.open(order.port, `bare-${n}`, () => {})),
      );
      return reply('accepted');
    case 'drop':
      for (const { socket } of clients) socket?.close();
      for (const socket of accepted) socket.close();
      return reply('dropped');
    case 'report':
      return reply(report());
  }
}

function report(): StormReport {
  const lastSeqs: Record<string, number[]> = {};
  for (const { conversationId, lastSeq } of clients) {
    const seqs = lastSeqs[conversationId] ?? [];
    lastSeqs[conversationId] = seqs;
    if (!seqs.includes(lastSeq)) seqs.push(lastSeq);
  }
  const sum = (of: (client: StormClient) => number) =>
    clients.reduce((total, client) => total + of(client), 0);
  return { events: sum(({ events }) => events), faults: sum(({ faults }) => faults), lastSeqs };
}

function reply(message: unknown): void {
  process.send?.(message);
}
