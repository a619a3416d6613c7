import { type JetStreamManager, type Msg, type NatsConnection, NatsError, nuid } from 'nats';
import { RECEIPTS_STREAM, ReceiptSchema, receiptSubject } from '../../contracts/receipts.ts';
import { digest } from '../../platform/ids.ts';
import { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import { LogUnavailableError } from '../../ports/eventLog.ts';
import type {
  FollowingReceipts,
  FollowReceiptsOptions,
  Receipt,
  ReceiptLog,
  StoredReceipt,
} from '../../ports/receipts.ts';
import type { Delivery } from './feedMessage.ts';
import { OrderedReader } from './orderedReader.ts';
import { PipelinedPublisher } from './publisher.ts';
import type { PublisherOptions } from './publisherOptions.ts';
import { ensureStream, readStreamDefinition, type StreamSettings } from './streamDefinition.ts';

export interface JetStreamReceiptsOptions {
  readonly connection: NatsConnection;
  /** `nats/streams/CHAT_RECEIPTS.json`. */
  readonly definition: URL;
  readonly settings: StreamSettings;
  readonly publisher: PublisherOptions;
}

const READ_MS_MAX = 3_000;

/**
 * Opens the stream of receipts: checks or creates it.
 *
 * @throws StreamMismatchError when it is not as defined
 */
export async function openJetStreamReceipts(options: JetStreamReceiptsOptions): Promise<JetStreamReceipts> {
  const manager = await options.connection.jetstreamManager({ timeout: READ_MS_MAX });
  await ensureStream(manager, await readStreamDefinition(options.definition, options.settings));
  return new JetStreamReceipts(options, manager);
}

/** Receipts on NATS JetStream, in a stream that keeps the newest of each subject. */
export class JetStreamReceipts implements ReceiptLog {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #watch: ConnectionWatch;
  readonly #publisher: PipelinedPublisher;

  constructor(options: JetStreamReceiptsOptions, manager: JetStreamManager) {
    this.#connection = options.connection;
    this.#manager = manager;
    this.#watch = new ConnectionWatch(options.connection);
    this.#publisher = new PipelinedPublisher(options.connection, this.#watch, options.publisher);
  }

  async mark(receipt: Receipt): Promise<void> {
    const subject = receiptSubject(receipt.conversationId, hashOf(receipt.userId));
    const bytes = Buffer.from(JSON.stringify(receipt));
    await this.#publisher.publish({ subject, bytes, key: nuid.next() });
  }

  async latest(conversationId: string, userId: string): Promise<Receipt | null> {
    const subject = receiptSubject(conversationId, hashOf(userId));
    const reply = await this.#ask(() =>
      this.#connection.request(`$JS.API.DIRECT.GET.${RECEIPTS_STREAM}.${subject}`, '', {
        timeout: READ_MS_MAX,
      }),
    );
    const code = reply.headers?.code ?? 0;
    if (code === 404) return null;
    if (code !== 0) throw new LogUnavailableError(`The receipts answered a read with ${code}`);
    return decode(reply.data);
  }

  async identity(): Promise<string> {
    return (await this.#ask(() => this.#manager.streams.info(RECEIPTS_STREAM))).created;
  }

  async follow({ after, unreleasedMax, onReceipt }: FollowReceiptsOptions): Promise<FollowingReceipts> {
    const reader = new OrderedReader<StoredReceipt>(this.#connection, this.#manager, {
      stream: RECEIPTS_STREAM,
      watch: this.#watch,
      after,
      unreleasedMax,
      manualRelease: true,
      decode: toStoredReceipt,
      onEvent: onReceipt,
    });
    await reader.start();
    return reader;
  }

  close(timeoutMs: number): Promise<void> {
    return this.#publisher.close(timeoutMs);
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (cause) {
      const reason = cause instanceof NatsError ? cause.code : String(cause);
      throw new LogUnavailableError(`The receipts cannot be read (${reason})`, { cause });
    }
  }
}

function hashOf(userId: string): string {
  return digest('user', userId).slice(0, 22);
}

/** What is none is passed over: a receipt is worth nothing that would be worth stopping for. */
function toStoredReceipt(message: Msg, delivery: Delivery): StoredReceipt | null {
  const receipt = decode(message.data);
  return receipt === null ? null : { ...receipt, receiptSeq: delivery.seq };
}

function decode(bytes: Uint8Array): Receipt | null {
  try {
    const parsed = ReceiptSchema.safeParse(JSON.parse(Buffer.from(bytes).toString()));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
