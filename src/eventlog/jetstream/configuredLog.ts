import type { NatsConnection } from 'nats';
import type { Config } from '../../platform/config.ts';
import { newEpoch } from '../../platform/ids.ts';
import { projectRootUrl } from '../../platform/projectRootUrl.ts';
import { type JetStreamLog, type LogEvent, openJetStreamLog } from './jetStreamLog.ts';
import { type JetStreamReceipts, openJetStreamReceipts } from './jetStreamReceipts.ts';

/**
 * The log as the settings say.
 *
 * @throws StreamMismatchError when the stream is not as `nats/streams/CHAT_EVENTS.json` defines it
 */
export function openConfiguredLog(
  config: Config,
  connection: NatsConnection,
  onEvent: (event: LogEvent) => void,
): Promise<JetStreamLog> {
  return openJetStreamLog({
    connection,
    definition: new URL('nats/streams/CHAT_EVENTS.json', projectRootUrl()),
    settings: { maxBytes: config.streamBytesMax, replicas: config.streamReplicas },
    publisher: publisherOptions(config),
    makeEpoch: newEpoch,
    onEvent,
  });
}

/**
 * The receipts as the settings say.
 *
 * @throws StreamMismatchError when the stream is not as `nats/streams/CHAT_RECEIPTS.json` defines it
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

function publisherOptions(config: Config) {
  return {
    windowMax: config.publishWindowMessages,
    queueMax: config.publishQueueMessagesMax,
    queueBytesMax: config.publishQueueBytesMax,
    ackTimeoutMs: config.publishAckTimeoutMs,
    deadlineMs: config.publishDeadlineMs,
  };
}
