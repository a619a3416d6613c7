import type { z } from 'zod';
import type { Upcasters } from './upcasters.ts';

/** Stored bytes that cannot be taken for an event: never skipped, always reported. */
export class UndecodableEventError extends Error {
  override readonly name: string = 'UndecodableEventError';
  readonly seq: number;

  constructor(seq: number, reason: string, options?: ErrorOptions) {
    super(`Event ${seq} of the log cannot be read: ${reason}`, options);
    this.seq = seq;
  }
}

/** An event of a type or version that this code does not know: a newer version of it wrote it. */
export class UnknownEventError extends UndecodableEventError {
  override readonly name = 'UnknownEventError';

  constructor(seq: number, type: string, version: number) {
    const remedy = 'Run the version of chat-backend that wrote it, or a newer one.';
    super(seq, `its type ${type.slice(0, 100)}, version ${version}, is not known here. ${remedy}`);
  }
}

/** Bytes that no version of the code has written like this: damaged, or written by something else. */
export class CorruptedEventError extends UndecodableEventError {
  override readonly name = 'CorruptedEventError';

  constructor(seq: number, reason: string, options?: ErrorOptions) {
    super(seq, `${reason}. See it with: chat-backend events show ${seq}`, options);
  }
}

export interface EventDecoderOptions<Event> {
  readonly upcasters: Upcasters;
  /** Of the newest versions. */
  readonly schema: z.ZodType<Event>;
  /** Reads what is most frequent faster than the schema does; `null`: leaves it to the schema. */
  readonly shortcut?: (parsed: object) => Event | null;
}

/** Reads stored bytes: JSON, raised to the newest version, checked against the schema. */
export class EventDecoder<Event> {
  readonly #options: EventDecoderOptions<Event>;
  readonly #text = new TextDecoder('utf-8', { fatal: true });

  constructor(options: EventDecoderOptions<Event>) {
    this.#options = options;
  }

  decode(bytes: Uint8Array, seq: number): Event {
    const parsed = this.#parse(bytes, seq);
    return this.#options.shortcut?.(parsed) ?? this.#check(this.#raise(parsed, seq), seq);
  }

  #parse(bytes: Uint8Array, seq: number): object {
    let parsed: unknown;
    try {
      parsed = JSON.parse(this.#text.decode(bytes));
    } catch (cause) {
      throw new CorruptedEventError(seq, 'it is not JSON in UTF-8', { cause });
    }
    if (typeof parsed === 'object' && parsed !== null) return parsed;
    throw new CorruptedEventError(seq, 'it is not a JSON object');
  }

  #raise(parsed: object, seq: number): Record<string, unknown> {
    const stored: Record<string, unknown> = { ...parsed };
    const { type, v } = stored;
    if (typeof type !== 'string' || typeof v !== 'number' || !Number.isInteger(v)) {
      throw new CorruptedEventError(seq, 'it names no type or version');
    }
    const { upcasters } = this.#options;
    if (!upcasters.knows(type, v)) throw new UnknownEventError(seq, type, v);
    try {
      return upcasters.raise(stored, type, v);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CorruptedEventError(seq, `it cannot be raised from version ${v} (${reason})`, { cause });
    }
  }

  #check(raised: Record<string, unknown>, seq: number): Event {
    const checked = this.#options.schema.safeParse(raised);
    if (checked.success) return checked.data;
    const first = checked.error.issues[0];
    throw new CorruptedEventError(seq, `${first?.path.join('.') || 'event'}: ${first?.message ?? 'invalid'}`);
  }
}
