import { readFile } from 'node:fs/promises';
import { type JetStreamManager, NatsError, type StreamConfig, type StreamInfo } from 'nats';
import { UPLOADS_STREAM } from '../../contracts/uploads/uploads.ts';
import type { LogStatus } from '../../ports/eventLog.ts';

/** What of a stream's definition is set per installation. */
export interface StreamSettings {
  readonly maxBytes: number;
  readonly replicas: number;
}

/**
 * `as found`: the stream's own. For a command, whose environment need not be that of the processes which made the stream: it
 * makes no stream and changes none.
 */
export type StreamSizing = StreamSettings | 'as found';

/** A stream exists but is not what this code relies on, and changing it is not safe to do unasked. */
export class StreamMismatchError extends Error {
  override readonly name = 'StreamMismatchError';
}

/** There is no such stream, and this process makes none. */
export class StreamMissingError extends Error {
  override readonly name = 'StreamMissingError';

  constructor(stream: string) {
    super(
      `There is no stream ${stream} at this nats-server: no system has ever run on it. Start one with "npm start", or set ` +
        'NATS_URL or CHAT_DATA_DIR to those of the running system.',
    );
  }
}

/** nats-server does not give a stream the room that it is to have. */
export class StreamStorageError extends Error {
  override readonly name = 'StreamStorageError';
}

/** The setting that says how large a stream may grow, by the stream's name. */
const BYTES_SETTING: Readonly<Record<string, string>> = {
  CHAT_EVENTS: 'STREAM_MAX_BYTES',
  CHAT_RECEIPTS: 'RECEIPTS_MAX_BYTES',
  [UPLOADS_STREAM]: 'UPLOADS_MAX_BYTES',
};

/** No resources of the account; of memory; of storage. Source: nats-server, errors.json. */
const NO_ROOM_CODES = [10_023, 10_028, 10_047];

/** Fields that can change under a running stream without touching what it stores. */
const UPDATABLE = new Set(['max_bytes', 'max_msg_size', 'duplicate_window', 'num_replicas']);

const EPOCH = /\bepoch=([A-Za-z0-9]{1,32})/;
const LOG_ID = /\blog=([A-Za-z0-9]{1,32})/;
const PREVIOUS_EPOCH = /\bafter=([A-Za-z0-9]{1,32})/;

/** Reads a definition from `nats/streams/`, with the settings of this installation in it. */
export async function readStreamDefinition(
  file: URL,
  settings: StreamSizing,
): Promise<Partial<StreamConfig>> {
  const definition: Partial<StreamConfig> = JSON.parse(await readFile(file, 'utf8'));
  if (settings === 'as found') {
    const { max_bytes: _size, num_replicas: _copies, ...rest } = definition;
    return rest;
  }
  return { ...definition, max_bytes: settings.maxBytes, num_replicas: settings.replicas };
}

/**
 * Makes sure that the stream exists as defined. Differences that can be applied are; any other is an error. Nothing is
 * ever deleted or replaced.
 *
 * @param describe makes the description of a stream that has none that is right
 * @returns the stream as it is now
 * @throws StreamMismatchError naming every field that differs; StreamStorageError
 */
export async function ensureStream(
  manager: JetStreamManager,
  definition: Partial<StreamConfig>,
  describe: (existing: string | undefined) => string | undefined = (existing) => existing,
): Promise<StreamInfo> {
  const name = String(definition.name);
  const existing = await infoOrNull(manager, name);
  if (existing === null) {
    if (definition.max_bytes === undefined) throw new StreamMissingError(name);
    const made = describe(undefined);
    const described = { ...definition, ...(made !== undefined && { description: made }) };
    return manager.streams.add(described).catch(refused(definition));
  }
  const differing = differences(existing.config, definition);
  const blocking = differing.filter((difference) => !UPDATABLE.has(difference.field));
  if (blocking.length > 0) throw mismatch(name, blocking);
  const description = describe(existing.config.description);
  if (differing.length === 0 && description === existing.config.description) return existing;
  const changes = Object.fromEntries(differing.map(({ field, wanted }) => [field, wanted]));
  const changed = { ...existing.config, ...changes, ...(description && { description }) };
  return manager.streams.update(name, changed).catch(refused(definition));
}

/** @returns what throws a refusal on, with what there is to do if it is for want of room */
function refused({ name = '', max_bytes: bytes }: Partial<StreamConfig>): (cause: unknown) => never {
  return (cause) => {
    if (!(cause instanceof NatsError) || !NO_ROOM_CODES.includes(cause.api_error?.err_code ?? 0)) throw cause;
    throw new StreamStorageError(
      `nats-server has no room for the stream ${name} with ${bytes} bytes (${cause.message}): a stream's whole size is set ` +
        `aside when it is made. Lower ${BYTES_SETTING[name] ?? 'its max_bytes'}, or raise max_file_store of nats-server.`,
      { cause },
    );
  };
}

/**
 * As {@link ensureStream}, for the log. A new log gets a new epoch, kept in its description, because that is stored,
 * replicated and restored with the stream and works from server 2.9 on.
 */
export function ensureEventStream(
  manager: JetStreamManager,
  definition: Partial<StreamConfig>,
  makeEpoch: () => string,
): Promise<StreamInfo> {
  return ensureStream(manager, definition, (existing) =>
    epochOf({ description: existing ?? '' }) === null ? describeLog(makeEpoch()) : existing,
  );
}

/** The epoch that a stream's description names. */
export function epochOf(config: Pick<StreamConfig, 'description'>): string | null {
  return EPOCH.exec(config.description ?? '')?.[1] ?? null;
}

/** The epoch that a log had which was found to have lost its tail; `null` for one that never did. */
export function previousEpochOf(config: Pick<StreamConfig, 'description'>): string | null {
  return PREVIOUS_EPOCH.exec(config.description ?? '')?.[1] ?? null;
}

/**
 * The identity that a log keeps through all its epochs: its very first epoch. One whose description does not name it is
 * older than that field, and has had no other epochs than those that it names.
 */
export function logIdOf(config: Pick<StreamConfig, 'description'>): string {
  const named = LOG_ID.exec(config.description ?? '')?.[1];
  return named ?? previousEpochOf(config) ?? epochOf(config) ?? '';
}

/** What a stream's description says: the log's identity, its epoch, and which one it comes after. */
export function describeLog(epoch: string, { logId = epoch, previous }: LogLineage = {}): string {
  const after = previous === undefined ? '' : ` after=${previous}`;
  return `Chat events, the truth of chat-backend. log=${logId} epoch=${epoch}${after}`;
}

/** Where an epoch comes from. */
export interface LogLineage {
  /** Default: this epoch is the log's first. */
  readonly logId?: string;
  /** The epoch before. */
  readonly previous?: string;
}

/** The log's status, as the stream's information has it. */
export function statusOf({ config, state }: StreamInfo): LogStatus {
  return {
    epoch: epochOf(config) ?? '',
    previousEpoch: previousEpochOf(config),
    logId: logIdOf(config),
    firstSeq: state.first_seq,
    lastSeq: state.last_seq,
    bytes: state.bytes,
    bytesMax: config.max_bytes,
    replicas: config.num_replicas,
  };
}

async function infoOrNull(manager: JetStreamManager, name: string): Promise<StreamInfo | null> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) return null;
    throw error;
  }
}

interface Difference {
  readonly field: string;
  readonly found: unknown;
  readonly wanted: unknown;
}

function differences(found: StreamConfig, wanted: Partial<StreamConfig>): Difference[] {
  const actual = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted)
    .map(([field, value]) => ({ field, found: actual.get(field), wanted: value }))
    .filter(({ found: have, wanted: want }) => JSON.stringify(have ?? absent(want)) !== JSON.stringify(want));
}

/** The server leaves fields out that have their zero value. */
function absent(wanted: unknown): unknown {
  return wanted === false || wanted === 0 ? wanted : undefined;
}

function mismatch(name: string, blocking: readonly Difference[]): StreamMismatchError {
  const list = blocking
    .map(
      ({ field, found, wanted }) => `${field} is ${JSON.stringify(found)}, needed ${JSON.stringify(wanted)}`,
    )
    .join('; ');
  return new StreamMismatchError(
    `The stream ${name} differs from nats/streams/${name}.json in a way that is not changed unasked: ${list}. ` +
      'Change it with "nats stream edit" after a backup, or point NATS_URL at another server.',
  );
}
