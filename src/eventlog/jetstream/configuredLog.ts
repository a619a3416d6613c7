import type { NatsConnection } from 'nats';
import type { Config } from '../../platform/config/config.ts';
import { projectRootUrl } from '../../platform/embedded/projectRootUrl.ts';
import { newEpoch } from '../../platform/ids.ts';
import { UNACKNOWLEDGED_CHUNKS_MAX } from './chunkWriter.ts';
import { type JetStreamAttachments, openJetStreamAttachments } from './jetStreamAttachments.ts';
import { type JetStreamLog, type LogEvent, openJetStreamLog } from './jetStreamLog.ts';
import { type JetStreamReceipts, openJetStreamReceipts } from './jetStreamReceipts.ts';
import type { StreamSizing } from './streamDefinition.ts';

/**
 * The log as the settings say.
 *
 * @throws StreamMismatchError when the stream is not as `nats/streams/CHAT_EVENTS.json` defines it; StreamStorageError
 */
export function openConfiguredLog(
  config: Config,
  connection: NatsConnection,
  onEvent: (event: LogEvent) => void,
  settings: StreamSizing = { maxBytes: config.streamBytesMax, replicas: config.streamReplicas },
): Promise<JetStreamLog> {
  return openJetStreamLog({
    connection,
    definition: new URL('nats/streams/CHAT_EVENTS.json', projectRootUrl()),
    settings,
    publisher: publisherOptions(config),
    makeEpoch: newEpoch,
    onEvent,
  });
}

/**
 * The receipts as the settings say.
 *
 * @throws StreamMismatchError when the stream is not as `nats/streams/CHAT_RECEIPTS.json` defines it; StreamStorageError
 */
export function openConfiguredReceipts(
  config: Config,
  connection: NatsConnection,
): Promise<JetStreamReceipts> {
  return openJetStreamReceipts({
    connection,
    definition: new URL('nats/streams/CHAT_RECEIPTS.json', projectRootUrl()),
    settings: { maxBytes: config.receiptsBytesMax, replicas: config.streamReplicas },
    publisher: publisherOptions(config),
  });
}

/**
 * The store of uploads as the settings say.
 *
 * @throws StreamMismatchError when the stream is not as `nats/streams/OBJ_chat-uploads.json` defines it; StreamStorageError
 */
export function openConfiguredAttachments(
  config: Config,
  connection: NatsConnection,
  settings: StreamSizing = { maxBytes: config.uploadsBytesMax, replicas: config.streamReplicas },
): Promise<JetStreamAttachments> {
  const messages = config.uploadsParallelMax * (UNACKNOWLEDGED_CHUNKS_MAX + 1);
  return openJetStreamAttachments({
    connection,
    definition: new URL('nats/streams/OBJ_chat-uploads.json', projectRootUrl()),
    settings,
    publisher: {
      windowMax: messages,
      queueMax: messages,
      // Their number bounds them: one that is refused would be an upload that fails half-way.
      queueBytesMax: Number.MAX_SAFE_INTEGER,
      ...CHUNK_DEADLINES,
    },
  });
}

/**
 * A chunk that is sent again lies once more in the connection's buffer, so it is not sent again often: what a stalled server
 * makes pile up is three times what is unacknowledged.
 */
const CHUNK_DEADLINES = { ackTimeoutMs: 4_000, deadlineMs: 10_000 };

function publisherOptions(config: Config) {
  return {
    windowMax: config.publishWindowMessages,
    queueMax: config.publishQueueMessagesMax,
    queueBytesMax: config.publishQueueBytesMax,
    ackTimeoutMs: config.publishAckTimeoutMs,
    deadlineMs: config.publishDeadlineMs,
  };
}
