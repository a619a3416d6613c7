import { type JetStreamManager, type Msg, type NatsConnection, NatsError } from 'nats';
import {
  chunkSubject,
  decodeUploadInfo,
  infoSubject,
  UPLOADS_STREAM,
  type UploadInfo,
} from '../../contracts/uploads/uploads.ts';
import { ConnectionWatch } from '../../platform/nats/connectionWatch.ts';
import {
  type AttachmentStore,
  type ByteRange,
  DamagedUploadError,
  type FoundUpload,
  type StoreUsage,
  type Survey,
  type SurveyRequest,
  type UploadWriter,
} from '../../ports/attachmentStore.ts';
import { LogUnavailableError } from '../../ports/eventLog.ts';
import { readChunks } from './chunkReader.ts';
import { type ChunkSink, ChunkWriter } from './chunkWriter.ts';
import { PipelinedPublisher } from './publisher.ts';
import type { PublisherOptions } from './publisherOptions.ts';
import { ensureStream, readStreamDefinition, type StreamSizing } from './streamDefinition.ts';
import { walkUploads } from './uploadWalk.ts';

export interface JetStreamAttachmentsOptions {
  /** One of its own: chunks would stand before messages in a shared one's buffer. */
  readonly connection: NatsConnection;
  /** `nats/streams/OBJ_chat-uploads.json`. */
  readonly definition: URL;
  readonly settings: StreamSizing;
  readonly publisher: PublisherOptions;
}

/** How long one read or one deletion may take, in milliseconds. */
const ANSWER_MS_MAX = 3_000;
/** Chunks of one upload that are being erased at a time. */
const ERASING_MAX = 8;

/**
 * Opens the bucket of uploads: checks or creates it.
 *
 * @throws StreamMismatchError when it is not as defined
 */
export async function openJetStreamAttachments(
  options: JetStreamAttachmentsOptions,
): Promise<JetStreamAttachments> {
  const manager = await options.connection.jetstreamManager({ timeout: ANSWER_MS_MAX });
  await ensureStream(manager, await readStreamDefinition(options.definition, options.settings));
  return new JetStreamAttachments(options, manager);
}

/**
 * Uploads in a bucket that NATS' own tools can read. Written, read and deleted without the client's object store: see
 * ADR 23.
 */
export class JetStreamAttachments implements AttachmentStore {
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #watch: ConnectionWatch;
  readonly #publisher: PipelinedPublisher;
  readonly #sink: ChunkSink;

  constructor(options: JetStreamAttachmentsOptions, manager: JetStreamManager) {
    this.#connection = options.connection;
    this.#manager = manager;
    this.#watch = new ConnectionWatch(options.connection);
    this.#publisher = new PipelinedPublisher(options.connection, this.#watch, options.publisher);
    this.#sink = {
      publish: async (subject, bytes, key, headers) => {
        const result = await this.#publisher.publish({ subject, bytes, key, headers });
        if (result.outcome === 'conflict') throw new Error('An unconditional append cannot conflict');
        return result.seq;
      },
      erase: (seqs) => this.#eraseAll(seqs),
    };
  }

  begin(id: string): UploadWriter {
    return new ChunkWriter(id, this.#sink);
  }

  async find(id: string): Promise<FoundUpload | null> {
    const found = await this.#info(id);
    if (found === null) return null;
    const { seqs, ...facts } = found.info;
    const chunkAt = (seq: number) => this.#chunk(id, seq);
    const all = { first: 0, last: facts.bytes - 1 };
    return {
      facts,
      read: (range: ByteRange = all) => readChunks({ seqs, bytes: facts.bytes, chunkAt }, range),
    };
  }

  async remove(id: string): Promise<boolean> {
    const found = await this.#info(id);
    if (found === null) return false;
    await this.#eraseAll(found.info.seqs);
    // Last, so that the upload is found until all is done, and erasing it can be asked for again.
    return this.#erase(found.seq);
  }

  async survey(request: SurveyRequest): Promise<Survey> {
    const reading = { connection: this.#connection, manager: this.#manager, watch: this.#watch };
    const { uploads, chunks, next } = await walkUploads(reading, request);
    const leftovers: Survey['leftovers'][number][] = [];
    for (const [id, seqs] of chunks) {
      if (uploads.includes(id) || (await this.#info(id)) !== null) continue;
      leftovers.push({ id, remove: () => this.#eraseAll(seqs) });
    }
    return { uploads, leftovers, next };
  }

  async usage(): Promise<StoreUsage> {
    const { config, state } = await this.#ask(() => this.#manager.streams.info(UPLOADS_STREAM));
    return { bytes: state.bytes, bytesMax: config.max_bytes };
  }

  /** Takes no more and waits for what is under way. The connection is its owner's to close. */
  close(timeoutMs: number): Promise<void> {
    return this.#publisher.close(timeoutMs);
  }

  async #info(id: string): Promise<{ info: UploadInfo; seq: number } | null> {
    const reply = await this.#get(`.${infoSubject(id)}`, '');
    const info = reply === null ? null : decodeUploadInfo(reply.data);
    if (reply === null || info === null || info.id !== id) return null;
    return { info, seq: Number(reply.headers?.get('Nats-Sequence')) };
  }

  async #chunk(id: string, seq: number): Promise<Uint8Array> {
    const reply = await this.#get('', JSON.stringify({ seq }));
    if (reply?.headers?.get('Nats-Subject') !== chunkSubject(id)) {
      throw new DamagedUploadError(`A part of upload ${id} is not in the store any more (sequence ${seq})`);
    }
    return reply.data;
  }

  /** Source: nats-architecture-and-design, ADR-31 (direct access). */
  async #get(subject: string, request: string): Promise<Msg | null> {
    const name = `$JS.API.DIRECT.GET.${UPLOADS_STREAM}${subject}`;
    const reply = await this.#ask(() => this.#connection.request(name, request, { timeout: ANSWER_MS_MAX }));
    const code = reply.headers?.code ?? 0;
    if (code === 404) return null;
    if (code !== 0) throw new LogUnavailableError(`The store of uploads answered a read with ${code}`);
    return reply;
  }

  async #eraseAll(seqs: readonly number[]): Promise<void> {
    for (let at = 0; at < seqs.length; at += ERASING_MAX) {
      await Promise.all(seqs.slice(at, at + ERASING_MAX).map((seq) => this.#erase(seq)));
    }
  }

  async #erase(seq: number): Promise<boolean> {
    try {
      return await this.#manager.streams.deleteMessage(UPLOADS_STREAM, seq, true);
    } catch (cause) {
      if (cause instanceof NatsError && NO_MESSAGE_CODES.includes(cause.api_error?.err_code ?? 0))
        return false;
      throw unavailable(cause);
    }
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (cause) {
      throw unavailable(cause);
    }
  }
}

/** No message found; a sequence that is not there (any more); one past the end. Source: nats-server, errors.json. */
const NO_MESSAGE_CODES = [10_037, 10_043, 10_057];

function unavailable(cause: unknown): LogUnavailableError {
  const reason = cause instanceof NatsError ? cause.code : String(cause);
  return new LogUnavailableError(`The store of uploads does not answer (${reason})`, { cause });
}
