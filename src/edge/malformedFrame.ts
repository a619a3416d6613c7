import { ChatError } from '../contracts/errors.ts';

/** A frame that cannot be carried out, with the request number it had, if one can be made out. */
export class MalformedFrame {
  readonly id: number | null;
  readonly error: ChatError;

  constructor(id: number | null, detail: string, errors: { path: string; reason: string }[] = []) {
    this.id = id;
    this.error = new ChatError('invalid_request', detail, { errors });
  }
}
