import { z } from 'zod';

export const FieldErrorSchema = z
  .object({
    path: z.string().meta({ description: 'Where, as in `participantIds.3`; empty for the request itself.' }),
    reason: z.string(),
  })
  .readonly()
  .meta({ id: 'FieldError' });

/** An error as clients get it: RFC 9457, with the catalogue's code. */
export const Problem = z
  .object({
    type: z.string().meta({ examples: ['urn:chat-backend:problem:not_found'] }),
    title: z.string(),
    status: z.number().int().min(400).max(599),
    detail: z.string(),
    code: z.string().meta({ description: 'From the catalogue of errors.', examples: ['not_found'] }),
    requestId: z.string().meta({ description: 'As in the header `X-Request-Id`; the log has it too.' }),
    retryable: z.boolean().meta({ description: 'Whether the very same request may succeed later.' }),
    retryAfterMs: z.number().min(0).optional(),
    errors: z
      .array(FieldErrorSchema)
      .readonly()
      .optional()
      .meta({ description: 'What is wrong with which field.' }),
  })
  .readonly()
  .meta({ id: 'Problem', description: 'Any answer but a success (RFC 9457).' });
export type Problem = z.infer<typeof Problem>;
