import { z } from 'zod';

/** What the HTTP API answers about users. */

export const PresenceAnswer = z
  .object({ presence: z.record(z.string(), z.enum(['online', 'offline'])) })
  .meta({ id: 'Presence', examples: [{ presence: { alice: 'online', bob: 'offline' } }] });

export const ReadAnswer = z
  .object({
    unreadCount: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'Null while the database does not answer: the receipt is kept all the same.' }),
  })
  .meta({ id: 'Read' });
