import { openConfiguredAttachments } from '../../eventlog/jetstream/configuredLog.ts';
import { connectNats } from '../../platform/nats/connection.ts';
import type { AttachmentStore } from '../../ports/attachmentStore.ts';
import type { Base } from '../base.ts';

/** The store of uploaded files, over a connection of its own: messages do not wait behind chunks of files. */
export async function openUploads(base: Base, natsUrl: string): Promise<AttachmentStore> {
  const { config, lifecycle, stops } = base;
  const connection = await connectNats({
    url: natsUrl,
    name: 'chat-backend uploads',
    onEvent: lifecycle.nats,
  });
  stops.add(() => connection.close());
  const attachments = await openConfiguredAttachments(config, connection);
  stops.add(() => attachments.close(config.shutdownTimeoutMs));
  return attachments;
}
