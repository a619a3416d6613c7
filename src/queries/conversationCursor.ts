import { isConversationId } from '../contracts/ids.ts';
import { isTimeInRange } from '../contracts/times.ts';

/** The last conversation of a page: the next one begins behind it, however the list moves meanwhile. */
export interface ConversationCursor {
  /** `last_activity_at` in microseconds since 1970, which is what Postgres keeps. */
  readonly activityMicros: number;
  readonly conversationId: string;
}

const PATTERN = /^(-?\d{1,16})\.(.+)$/;

/** The cursor as clients get it: opaque, and safe in a URL. */
export function encodeCursor(cursor: ConversationCursor): string {
  return Buffer.from(`${cursor.activityMicros}.${cursor.conversationId}`).toString('base64url');
}

/** The parts of a cursor; null for text that the server did not make. */
export function decodeCursor(text: string): ConversationCursor | null {
  const [, micros, conversationId] = PATTERN.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  if (micros === undefined || conversationId === undefined || !isConversationId(conversationId)) return null;
  const activityMicros = Number(micros);
  return isTimeInRange(activityMicros / 1_000) ? { activityMicros, conversationId } : null;
}
