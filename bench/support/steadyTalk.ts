import { encodeEvent } from '../../src/contracts/events/events.ts';
import { groupOf, PARTITION_GROUPS } from '../../src/contracts/events/subjects.ts';
import type { JetStreamLog } from '../../src/eventlog/jetstream/jetStreamLog.ts';
import { systemIds } from '../../src/platform/ids.ts';
import type { Announcement } from '../../src/platform/nats/projectionProgress.ts';

interface Waiting {
  readonly seq: number;
  readonly storedAtMs: number;
}

/** How old messages were when one read model had them: between the log's acknowledgement and its announcement. */
export class ModelLag {
  readonly #waiting: Waiting[][] = Array.from({ length: PARTITION_GROUPS }, () => []);
  readonly #reached: number[] = Array.from({ length: PARTITION_GROUPS }, () => 0);
  /** In milliseconds. */
  ages: number[] = [];

  stored(group: number, seq: number): void {
    const storedAtMs = performance.now();
    if (seq <= (this.#reached[group] ?? 0)) this.ages.push(0);
    else this.#waiting[group]?.push({ seq, storedAtMs });
  }

  announced({ group, seq }: Announcement): void {
    const waiting = this.#waiting[group] ?? [];
    this.#reached[group] = seq;
    const at = waiting.findIndex((message) => message.seq > seq);
    const arrived = waiting.splice(0, at < 0 ? waiting.length : at);
    const now = performance.now();
    for (const { storedAtMs } of arrived) this.ages.push(now - storedAtMs);
  }

  /** How long the message has waited that waits longest, in milliseconds; 0 when none does. */
  get oldestMs(): number {
    const oldest = Math.min(...this.#waiting.map(([first]) => first?.storedAtMs ?? Number.POSITIVE_INFINITY));
    return oldest === Number.POSITIVE_INFINITY ? 0 : performance.now() - oldest;
  }
}

const TICK_MS = 10;

/** Of each talk, so that the log takes none of its messages for a repeat of an earlier talk's. */
let talks = 0;

/** A number of messages per second into these conversations, whatever happens to those before. @returns what ends it */
export function talk(
  log: JetStreamLog,
  perSecond: number,
  conversationIds: readonly string[],
  onStored: (group: number, seq: number) => void,
): () => void {
  const startedAt = performance.now();
  const at = new Date().toISOString();
  talks += 1;
  const name = `talk${talks}`;
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond);
    for (; sent < due; sent++) say(sent);
  }, TICK_MS);
  function say(n: number): void {
    const conversationId = conversationIds[n % conversationIds.length] ?? '';
    const clientMessageId = `${name}-${n}`;
    const messageId = systemIds.messageId(conversationId, 'bench', clientMessageId);
    const ids = { messageId, conversationId, userId: 'bench', clientMessageId };
    const said = { content: 'x'.repeat(100), replyTo: null, attachments: [], at };
    const bytes = encodeEvent({ type: 'MessagePosted', v: 1, ...ids, ...said });
    log.append({ conversationId, category: 'message', bytes, idempotencyKey: messageId }).then(
      (result) => {
        if (result.outcome === 'stored') onStored(groupOf(conversationId), result.seq);
        else console.error(`Message ${clientMessageId} was not stored: ${result.outcome}`);
      },
      (error) => console.error(String(error)),
    );
  }
  return () => clearInterval(timer);
}
