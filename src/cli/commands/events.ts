import { decodeEvent, tryDecodeEvent, UndecodableEventError } from '../../contracts/events/events.ts';
import type { ChatEvent } from '../../domain/conversation/events.ts';
import type { FollowedEvent } from '../../ports/eventFeed.ts';
import type { StoredEvent } from '../../ports/eventLog.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, NotFoundError, type Outcome, ok } from '../outcome.ts';
import { printable, printableJson } from '../printable.ts';
import { oneLine } from '../table.ts';

export interface TailOptions {
  /** Events after this one; absent: the last ten sequences. */
  readonly after?: number | undefined;
  /** End at the log's end of now instead of waiting for more. */
  readonly ended: boolean;
  /** Events until it ends; absent: no limit. */
  readonly limit?: number | undefined;
  readonly conversationId?: string | undefined;
  readonly types: readonly string[];
  readonly userId?: string | undefined;
  readonly json: boolean;
  /** Prints a line. @returns what to wait for while the reader is slower */
  readonly print: (line: string) => Promise<void> | undefined;
}

const DEFAULT_SEQUENCES = 10;
const UNPRINTED_MAX = 256;

/** `events show SEQ` */
export async function runEventShow({ log }: CliEnvironment, seq: number): Promise<Outcome> {
  const stored = await log.at(seq);
  if (stored === null) {
    const { firstSeq, lastSeq } = await log.status();
    const where = `The log has events from ${firstSeq} to ${lastSeq}`;
    throw new NotFoundError(`There is no event ${seq}, or it was erased. ${where}.`);
  }
  const { text, json } = describeEvent(stored);
  return ok(text, json);
}

/** `events tail`: prints events as they come, each on a line of its own. */
export async function tailEvents({ log }: CliEnvironment, options: TailOptions): Promise<number> {
  const { lastSeq } = await log.status();
  const after = options.after ?? Math.max(0, lastSeq - DEFAULT_SEQUENCES);
  if (options.ended && after >= lastSeq) return EXIT.ok;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let printed: Promise<void> = Promise.resolve();
  const following = await log.follow({
    after,
    ...(options.conversationId !== undefined && { conversationId: options.conversationId }),
    manualRelease: true,
    unreleasedMax: UNPRINTED_MAX,
    onEvent: (event) => {
      if (left <= 0) return;
      if (isWanted(event, options)) {
        left -= 1;
        const { json } = describeEvent(event);
        const line = options.json ? printableJson(json) : eventLine(event);
        printed = printed.then(() => options.print(line));
      }
      printed = printed.then(() => following.release(1));
      if (left <= 0 || (options.ended && (event.remaining === 0 || event.seq >= lastSeq))) end();
    },
  });
  if (options.ended && following.remaining === 0) end();
  await ended;
  await printed;
  await following.stop();
  return EXIT.ok;
}

function isWanted(event: FollowedEvent, { types, userId }: TailOptions): boolean {
  if (types.length === 0 && userId === undefined) return true;
  const decoded = tryDecodeEvent(event.bytes, event.seq, { skipUnknown: true });
  if (decoded === null) return false;
  return (
    (types.length === 0 || types.includes(decoded.type)) &&
    (userId === undefined || decoded.userId === userId)
  );
}

/** An event with its place, whole. One that cannot be read is shown as its bytes, with the reason. */
export function describeEvent(stored: StoredEvent): { text: string; json: object } {
  const { seq, conversationId, category, storedAtMs, bytes } = stored;
  const place = {
    seq,
    conversationId,
    category,
    storedAt: new Date(storedAtMs).toISOString(),
    bytes: bytes.length,
  };
  const head = `event ${seq} of ${conversationId}, ${category}, stored ${place.storedAt}, ${bytes.length} bytes`;
  try {
    const event = decodeEvent(bytes, seq);
    return { text: `${head}\n${printableJson(event, 2)}`, json: { ...place, event } };
  } catch (error) {
    if (!(error instanceof UndecodableEventError)) throw error;
    const raw = Buffer.from(bytes).toString('base64');
    return {
      text: `${head}\n${printable(error.message)}\nbase64: ${raw}`,
      json: { ...place, error: error.message, base64: raw },
    };
  }
}

/** One line: where, when, what, who, and the beginning of what was said. */
function eventLine(stored: StoredEvent): string {
  const { seq, conversationId } = stored;
  const event = tryDecodeEvent(stored.bytes, seq, { skipUnknown: true });
  const at = new Date(stored.storedAtMs).toISOString();
  if (event === null) return `${seq}  ${at}  ${conversationId}  cannot be read`;
  return `${seq}  ${at}  ${conversationId}  ${event.type}  ${printable(event.userId)}  ${oneLine(gist(event), 80)}`.trimEnd();
}

function gist(event: ChatEvent): string {
  if ('content' in event) return event.content;
  if ('emoji' in event) return event.emoji;
  if ('participantIds' in event) return event.participantIds.join(', ');
  return 'state' in event ? (event.state.title ?? '') : '';
}
