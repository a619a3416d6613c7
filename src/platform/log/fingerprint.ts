import { createHash } from 'node:crypto';

/**
 * The first 64 bits of the SHA-256 of an event's stored bytes, in hexadecimal: kept with a checkpoint, so that a log which
 * lost its tail and reused the sequence is distinguished from the one that the read model was built from.
 */
export function fingerprint(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
