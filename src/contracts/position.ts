import { z } from 'zod';

/** A place in the log that clients hand back as it is: `"<epoch>:<seq>"`. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** Names one incarnation of the log. */
export const Epoch = z
  .string()
  .regex(/^[A-Za-z0-9]{1,32}$/, 'must be an epoch as the server gave it')
  .meta({ examples: ['k3x9'] });

const PATTERN = /^([A-Za-z0-9]{1,32}):(\d{1,15})$/;

export const PositionText = z
  .string()
  .regex(PATTERN, 'must be a position as the server gave it')
  .meta({ examples: ['k3x9:138'] });

export function formatPosition(epoch: string, seq: number): string {
  return `${epoch}:${seq}`;
}

/** The parts of a position; `null` for text that is none. */
export function parsePosition(text: string): Position | null {
  const [, epoch, seq] = PATTERN.exec(text) ?? [];
  return epoch === undefined || seq === undefined ? null : { epoch, seq: Number(seq) };
}
