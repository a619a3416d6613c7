import type { NatsConnection } from 'nats';
import type { Config } from '../../platform/config.ts';
import { newEpoch } from '../../platform/ids.ts';
import { projectRootUrl } from '../../platform/projectRootUrl.ts';
import { type JetStreamLog, type LogEvent, openJetStreamLog } from './jetStreamLog.ts';

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
    publisher: {
      windowMax: config.publishWindowMessages,
      queueMax: config.publishQueueMessagesMax,
      ackTimeoutMs: config.publishAckTimeoutMs,
      deadlineMs: config.publishDeadlineMs,
    },
    makeEpoch: newEpoch,
    onEvent,
  });
}
