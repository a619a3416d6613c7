import type { Request } from 'express';
import { viewConversation } from '../../application/reading/viewConversation.ts';
import { ChatError } from '../../contracts/errors.ts';
import { EmptyQuery, UploadFields } from '../../contracts/http/requests.ts';
import type { Attachment } from '../../domain/conversation/events.ts';
import type { HttpDeps } from '../deps.ts';
import { namesUserInHeader, withUser } from '../request/identity.ts';
import { queryFields } from '../request/query.ts';
import { check } from '../request/validate.ts';
import { FORM_OVERHEAD_BYTES_MAX, type FormFields, type FormFile, readUploadForm } from './uploadForm.ts';
import { type StoredFile, takeFile, tooLarge } from './uploadIntake.ts';
import { STALL_MS_MAX, UPLOAD_MS_MAX, type UploadLimits } from './uploadLimits.ts';
import { uploadName } from './uploadName.ts';
import { watchPace } from './uploadPace.ts';

type Deps = Pick<HttpDeps, 'application' | 'uploads'>;

/**
 * Takes one upload from a request into the store. It exists there when this resolves, and not when it rejects: what was stored
 * of it is then being taken back.
 *
 * @param onCleanup called with the removal of what was stored of a failed upload
 * @throws ChatError, ClientGoneError, and what the store throws
 */
export async function receiveUpload(
  deps: Deps,
  req: Request,
  onCleanup: (done: Promise<void>) => void,
): Promise<Attachment> {
  const { limits } = deps.uploads;
  check(EmptyQuery, queryFields(req));
  refuseTooLong(req, limits.bytesMax);
  const pace = watchPace(req, {
    bytesMax: limits.bytesMax + FORM_OVERHEAD_BYTES_MAX,
    stallMsMax: limits.stallMsMax ?? STALL_MS_MAX,
    uploadMsMax: limits.uploadMsMax ?? UPLOAD_MS_MAX,
  });
  const upload = new Upload(deps, req);
  try {
    return await upload.receive(pace.signal);
  } catch (error) {
    onCleanup(upload.abort());
    throw error;
  } finally {
    pace.end();
  }
}

/** What says itself that it is too long needs not be read. */
function refuseTooLong(req: Request, bytesMax: number): void {
  const length = Number(req.get('Content-Length') ?? 0);
  if (length > bytesMax + FORM_OVERHEAD_BYTES_MAX) throw tooLarge(bytesMax);
}

/** One upload on its way from the form into the store. */
class Upload {
  readonly #deps: Deps;
  readonly #req: Request;
  readonly #id: string;
  readonly #writer: ReturnType<HttpDeps['application']['attachments']['begin']>;
  #taken: (StoredFile & { name: string }) | null = null;
  #reading: Promise<unknown> = Promise.resolve();

  constructor(deps: Deps, req: Request) {
    this.#deps = deps;
    this.#req = req;
    this.#id = deps.application.ids.uploadId();
    this.#writer = deps.application.attachments.begin(this.#id);
  }

  async receive(signal: AbortSignal): Promise<Attachment> {
    const fields = await readUploadForm(this.#req, { signal, onFile: (...file) => this.#take(...file) });
    const { conversationId, userId } = await this.#permit(fields);
    signal.throwIfAborted();
    const taken = this.#taken;
    if (taken === null) throw new Error('A form that was read had its file');
    const uploadedAtMs = this.#deps.application.clock.nowMs();
    await this.#writer.finish({ ...taken, conversationId, userId, uploadedAtMs });
    const { name, mediaType, bytes, sha256 } = taken;
    return { id: this.#id, name, mediaType, bytes, sha256 };
  }

  /** Once nothing is written any more. */
  async abort(): Promise<void> {
    const aborted = this.#writer.abort();
    await this.#reading.catch(() => {});
    await aborted;
  }

  #take(file: FormFile, before: FormFields): Promise<void> {
    const taking = this.#takeFile(file, before);
    this.#reading = taking;
    return taking;
  }

  async #takeFile(file: FormFile, before: FormFields): Promise<void> {
    const name = uploadName(file.name);
    // Who is known already not to be allowed need not send it all. The fields may also come after the file.
    if (before.has('conversationId') && (before.has('userId') || namesUserInHeader(this.#req))) {
      await this.#permit(before);
    }
    this.#taken = { ...(await takeFile(file, this.#writer, this.#deps.uploads.limits.bytesMax)), name };
  }

  /** @throws ChatError invalid_request; not_found as for a conversation that is not there */
  async #permit(fields: FormFields): Promise<{ conversationId: string; userId: string }> {
    const named = check(UploadFields, withUser(this.#req, Object.fromEntries(fields)));
    await viewConversation(this.#deps.application, named.conversationId, named.userId);
    return named;
  }
}

export function overloaded({ parallelMax }: UploadLimits): ChatError {
  return new ChatError(
    'overloaded',
    `${parallelMax} uploads are under way here already; nothing was stored.`,
  );
}
