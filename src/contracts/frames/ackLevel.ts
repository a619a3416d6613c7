import { z } from 'zod';

/** `accepted`: the log has it. `durable`: the commit in Postgres that holds it is on disk as well. */
export const AckLevel = z.enum(['accepted', 'durable']);
export type AckLevel = z.infer<typeof AckLevel>;
