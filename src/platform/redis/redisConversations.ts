import { z } from 'zod';
import { ConversationStateSchema } from '../../contracts/events/events.ts';
import { Seq } from '../../contracts/ids.ts';
import type { Lookups } from '../../ports/lookups.ts';
import type { SharedConversation, SharedConversations } from '../../ports/sharedConversations.ts';
import type { Redis } from './redis.ts';

/** How long a question may take, in milliseconds. */
const GET_MS_MAX = 100;
/** Characters of a value, at most; conversations with more participants than fit are read from the log. */
const VALUE_LENGTH_MAX = 64 * 1_024;
/** Values on their way to Redis, at most; more are not sent. */
const PUTS_MAX = 64;

/**
 * KEYS: the conversation's. ARGV: version, asOfSeq, state as JSON, when it expires in milliseconds since 1970.
 * Something else under the key, or something that never expires, is nobody's: it makes room.
 */
const PUT_IF_NEWER = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('PTTL', KEYS[1]) < 0 then
  redis.call('DEL', KEYS[1])
else
  local known = redis.call('HMGET', KEYS[1], 'version', 'asOfSeq')
  local version, asOfSeq = tonumber(known[1]) or 0, tonumber(known[2]) or 0
  if version > tonumber(ARGV[1]) or (version == tonumber(ARGV[1]) and asOfSeq > tonumber(ARGV[2])) then
    return 0
  end
end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'asOfSeq', ARGV[2], 'state', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[4])
return 1`;

const Sequence = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number)
  .pipe(Seq.min(1));
const StateJson = z
  .string()
  .max(VALUE_LENGTH_MAX)
  .transform((json, context) => {
    try {
      return JSON.parse(json) as unknown;
    } catch {
      context.addIssue('no JSON');
      return z.NEVER;
    }
  })
  .pipe(ConversationStateSchema);
const Value = z
  .tuple([Sequence, Sequence, StateJson])
  .refine(([version, asOfSeq]) => asOfSeq >= version, 'known as of before it was');

/** Conversations in Redis, a hash each under `chat:conversation:<epoch>:<id>`. What is found there is checked. */
export class RedisConversations implements SharedConversations {
  readonly #redis: Redis;
  readonly lookups: Lookups = { hit: 0, miss: 0, error: 0 };
  #puts = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async get(epoch: string, conversationId: string): Promise<SharedConversation | null> {
    try {
      const fields = ['version', 'asOfSeq', 'state'];
      const answer = await this.#redis.command(['HMGET', key(epoch, conversationId), ...fields], GET_MS_MAX);
      const found = decode(answer);
      if (found === null) this.lookups.miss += 1;
      else this.lookups.hit += 1;
      return found;
    } catch {
      this.lookups.error += 1;
      return null;
    }
  }

  put(epoch: string, conversationId: string, found: SharedConversation, expiresAtMs: number): void {
    const state = JSON.stringify(found.state);
    if (state.length > VALUE_LENGTH_MAX || this.#puts >= PUTS_MAX || !this.#redis.isUp) return;
    const values = [String(found.version), String(found.asOfSeq), state, String(expiresAtMs)];
    this.#puts += 1;
    this.#redis
      .command(['EVAL', PUT_IF_NEWER, '1', key(epoch, conversationId), ...values])
      // It was worth a try: nobody relies on what is there.
      .catch(() => {})
      .finally(() => {
        this.#puts -= 1;
      });
  }
}

function key(epoch: string, conversationId: string): string {
  return `chat:conversation:${epoch}:${conversationId}`;
}

/** @throws when something is there that this project did not leave there */
function decode(answer: unknown): SharedConversation | null {
  if (Array.isArray(answer) && answer.every((field) => field === null)) return null;
  const [version, asOfSeq, state] = Value.parse(answer);
  return { version, asOfSeq, state };
}
