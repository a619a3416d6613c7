import type { Clock } from '../../ports/clock.ts';
import type { SharedConversation, SharedConversations } from '../../ports/sharedConversations.ts';

/** Shared by those in one process that are given the same one, as tests do. It forgets what is over, and holds no bound. */
export class MemorySharedConversations implements SharedConversations {
  readonly #clock: Clock;
  readonly #values = new Map<string, { found: SharedConversation; expiresAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(epoch: string, conversationId: string): Promise<SharedConversation | null> {
    return Promise.resolve(this.#valid(`${epoch}:${conversationId}`)?.found ?? null);
  }

  put(epoch: string, conversationId: string, found: SharedConversation, expiresAtMs: number): void {
    const key = `${epoch}:${conversationId}`;
    const known = this.#valid(key)?.found;
    if (known !== undefined && isNewer(known, found)) return;
    this.#values.set(key, { found, expiresAtMs });
  }

  #valid(key: string) {
    const value = this.#values.get(key);
    if (value === undefined || value.expiresAtMs > this.#clock.nowMs()) return value;
    this.#values.delete(key);
    return undefined;
  }
}

function isNewer(known: SharedConversation, found: SharedConversation): boolean {
  if (known.version !== found.version) return known.version > found.version;
  return known.asOfSeq > found.asOfSeq;
}
