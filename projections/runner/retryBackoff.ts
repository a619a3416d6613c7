import type { BackoffBounds } from '../../src/platform/time/backoff.ts';

/**
 * Between attempts of a runner. Never more than a second: trying costs a database that is away nothing, and one that is
 * back is not left waiting.
 */
export const RETRY_BACKOFF: BackoffBounds = { delayMsMin: 100, delayMsMax: 1_000 };
