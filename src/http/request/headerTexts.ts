import { isUtf8 } from 'node:buffer';
import type { Request } from 'express';
import { invalid } from './validate.ts';

/**
 * The values of a header, one for each time that it was given. Node reads headers as Latin-1; what clients and gateways send
 * is UTF-8.
 *
 * @throws ChatError invalid_request for what is not
 */
export function headerTexts(req: Request, name: string): string[] {
  const values = req.headersDistinct[name.toLowerCase()] ?? [];
  return values.map((value) => {
    const bytes = Buffer.from(value, 'latin1');
    if (!isUtf8(bytes)) throw invalid([{ path: name, reason: 'must be UTF-8' }]);
    return bytes.toString('utf8');
  });
}
