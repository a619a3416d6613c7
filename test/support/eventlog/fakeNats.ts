import {
  Events,
  type Msg,
  type NatsConnection,
  type PublishOptions,
  type Status,
  type Subscription,
} from 'nats';

/** One attempt at a message, as it went out. */
export interface Attempt {
  readonly subject: string;
  readonly text: string;
  /** `Nats-Msg-Id`. */
  readonly id: string;
  /** `Nats-Expected-Last-Subject-Sequence`, if it was sent. */
  readonly expectedSeq: string | undefined;
  /** Where its answer goes. */
  readonly reply: string;
  /** Sends an answer, also one that comes too late or twice. An empty one is "no responders". */
  answer(body: object | ''): void;
}

/** As much of a connection to NATS as a publisher uses: what it sends stays here, and the test answers. */
export class FakeNats {
  readonly attempts: Attempt[] = [];
  /** As after the client has given the connection up: sending throws. */
  isClosed = false;
  #answersTo = '';
  #onAnswer: (message: Msg) => void = () => {};
  #onStatus: ((status: Status) => void) | null = null;
  readonly #statuses: Status[] = [];

  /** As the client's own type. */
  get connection(): NatsConnection {
    return {
      subscribe: (subject: string, options: { callback: (error: null, message: Msg) => void }) => {
        this.#answersTo = subject;
        this.#onAnswer = (message) => options.callback(null, message);
        return {} as Subscription;
      },
      publish: (subject: string, bytes: Uint8Array, options: PublishOptions) =>
        this.#take(subject, bytes, options),
      status: () => this.#status(),
    } as unknown as NatsConnection;
  }

  /** Those of one message, in the order of sending. */
  of(id: string): Attempt[] {
    return this.attempts.filter((attempt) => attempt.id === id);
  }

  lose(): void {
    this.#tell({ type: Events.Disconnect, data: 'fake' });
  }

  find(): void {
    this.#tell({ type: Events.Reconnect, data: 'fake' });
  }

  #take(subject: string, bytes: Uint8Array, { reply = '', headers }: PublishOptions): void {
    if (this.isClosed) throw new Error('CONNECTION_CLOSED');
    if (!reply.startsWith(this.#answersTo.replace('*', ''))) throw new Error(`Nobody listens at ${reply}`);
    // The client encodes them within its call: the object serves the next message as well.
    const lines = Buffer.from((headers as unknown as { encode(): Uint8Array }).encode()).toString('latin1');
    const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'm').exec(lines)?.[1];
    this.attempts.push({
      subject,
      text: Buffer.from(bytes).toString(),
      id: header('Nats-Msg-Id') ?? '',
      expectedSeq: header('Nats-Expected-Last-Subject-Sequence'),
      reply,
      answer: (body) => this.#onAnswer(messageTo(reply, body)),
    });
  }

  #tell(status: Status): void {
    this.#statuses.push(status);
    this.#onStatus?.(status);
  }

  async *#status(): AsyncGenerator<Status> {
    for (;;) {
      const status =
        this.#statuses.shift() ??
        (await new Promise<null>((resolve) => {
          this.#onStatus = () => resolve(null);
        }));
      if (status !== null) yield status;
    }
  }
}

function messageTo(subject: string, body: object | ''): Msg {
  const text = body === '' ? '' : JSON.stringify(body);
  const headers = body === '' ? { code: 503 } : undefined;
  return { subject, data: Buffer.from(text), string: () => text, headers } as unknown as Msg;
}
