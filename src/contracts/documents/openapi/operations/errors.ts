import type { ErrorCode } from '../../../errors.ts';

/** What any call may end with; too large may be its headers. */
export const EVERYWHERE: readonly ErrorCode[] = ['payload_too_large', 'internal'];

/** Of calls that ask the log. */
export const LOG_ERRORS: readonly ErrorCode[] = ['log_unavailable'];

/** Of calls that append to the log what a JSON body says. */
export const WRITE_ERRORS: readonly ErrorCode[] = [
  'invalid_request',
  'payload_too_large',
  'unsupported_media_type',
  'log_unavailable',
  'overloaded',
  'unknown_outcome',
];
