import { ChatError, type FieldError } from '../../contracts/errors.ts';
import { ATTACHABLE_MS } from '../../contracts/uploads/uploads.ts';
import type { Attachment } from '../../domain/conversation/events.ts';
import type { FoundUpload } from '../../ports/attachmentStore.ts';
import { asChatError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';

/**
 * What a message says of its attachments: the store's own facts. An upload can be attached by who uploaded it, where it was
 * uploaded to, and for a time that ends well before it counts as abandoned.
 *
 * @throws ChatError invalid_request naming each that cannot be attached, or log_unavailable
 */
export async function resolveAttachments(
  context: Pick<ApplicationContext, 'attachments' | 'clock'>,
  message: {
    readonly conversationId: string;
    readonly userId: string;
    /** Few, by schema. */
    readonly attachments: readonly string[];
  },
): Promise<readonly Attachment[]> {
  const found = await Promise.all(message.attachments.map((id) => context.attachments.find(id))).catch(
    (cause) => {
      throw asChatError(cause);
    },
  );
  const resolved: Attachment[] = [];
  const errors: FieldError[] = [];
  for (const [index, upload] of found.entries()) {
    const reason = objection(upload, message, context.clock.nowMs());
    if (upload === null || reason !== null)
      errors.push({ path: `attachments.${index}`, reason: reason ?? '' });
    else resolved.push(toAttachment(upload));
  }
  if (errors.length === 0) return resolved;
  throw new ChatError('invalid_request', 'What cannot be attached is in "errors".', { errors });
}

const TOO_LONG_AGO = 'was uploaded too long ago: upload it again';

/** Whether all that is wrong is the time: the same message may have been posted while it was right. */
export function isTooLate(error: unknown): boolean {
  return (
    error instanceof ChatError &&
    error.errors.length > 0 &&
    error.errors.every(({ reason }) => reason === TOO_LONG_AGO)
  );
}

function objection(
  upload: FoundUpload | null,
  { conversationId, userId }: { conversationId: string; userId: string },
  nowMs: number,
): string | null {
  // Somebody else's upload answers as a missing one, so that ids cannot be probed.
  if (upload?.facts.conversationId !== conversationId || upload.facts.userId !== userId) {
    return 'is no upload of this user in this conversation (any more)';
  }
  if (nowMs - upload.facts.uploadedAtMs < ATTACHABLE_MS) return null;
  return TOO_LONG_AGO;
}

/** The fields of an event in its order, and no others. */
export function toAttachment({
  facts: { id, name, mediaType, bytes, sha256 },
}: Pick<FoundUpload, 'facts'>): Attachment {
  return { id, name, mediaType, bytes, sha256 };
}
