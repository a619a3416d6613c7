import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { RequestHeader, ResponseHeader } from './headers.ts';

/** One method of one path, as the API document tells of it. */
export interface Operation {
  /** Never changes: generated clients name their methods after it. */
  readonly operationId: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** With parameters in braces, as in `/api/chat/messages/{messageId}`. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** The parameters of the path. */
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly headers?: readonly RequestHeader[];
  readonly body?: Content;
  /** Successes, and failures that are no problem+json, by status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** What it may be refused with, beside what every call may be. */
  readonly errors?: readonly ErrorCode[];
  /** The answer has an `ETag`, and `If-None-Match` is answered with 304. */
  readonly conditional?: boolean;
}

export interface Content {
  readonly schema: z.ZodType;
  /** Default `application/json`. */
  readonly mediaType?: string;
  readonly example?: unknown;
}

/** Without a schema: the answer has no body. */
export interface Answer extends Partial<Omit<Content, 'mediaType'>> {
  readonly description: string;
  /** Default `application/json`; several: it is one of them. Never a range, which generated clients pass over. */
  readonly mediaType?: string | readonly string[];
  readonly headers?: readonly ResponseHeader[];
}

export const TAGS = {
  conversations: 'Conversations and who is in them. All but the list works without the database.',
  messages: 'Posting, changing and reacting to messages: the log alone.',
  reading: 'History, search and live events.',
  users: 'Who is online, and how far users have read.',
  uploads: 'Files that messages show.',
  health: 'For people and orchestrators.',
  operation: 'For Prometheus, and these documents.',
} as const;
export type Tag = keyof typeof TAGS;
