import { asChatError } from '../../application/chatErrors.ts';
import { ChatError } from '../../contracts/errors.ts';
import { StoreFullError } from '../../ports/attachmentStore.ts';
import { ClientGoneError } from './uploadPace.ts';

/** How an upload ended. */
export type UploadEvent =
  | {
      readonly outcome: 'stored';
      readonly reason: 'stored';
      readonly bytes: number;
      readonly mediaType: string;
    }
  | { readonly outcome: 'rejected' | 'aborted'; readonly reason: string; readonly detail: string };

/**
 * What to count and log of an upload that failed. The reasons are the codes of the catalogue and two of its own, so that there
 * are few of them. Says nothing of what was in the upload.
 */
export function failedUpload(error: unknown): UploadEvent {
  const detail = error instanceof Error ? error.message : String(error);
  if (error instanceof ClientGoneError) return { outcome: 'aborted', reason: 'client_gone', detail };
  if (error instanceof StoreFullError) return { outcome: 'rejected', reason: 'store_full', detail };
  const known = asChatError(error);
  const reason = known instanceof ChatError ? known.code : 'internal';
  const errors =
    known instanceof ChatError ? known.errors.map(({ path, reason: why }) => `${path} ${why}`) : [];
  return { outcome: 'rejected', reason, detail: [detail, ...errors].join(' ') };
}
