import { WsQuery } from '../../../contracts/frames/clientFrames.ts';

/**
 * The user that the query of an upgrade names; null when it names none, several, or is not UTF-8 in percent-encoding:
 * which of two would count, or what a broken one means, is anybody's guess.
 */
export function userIdOf(query: string): string | null {
  const fields = new Map<string, string>();
  try {
    for (const pair of query.split('&').filter((text) => text !== '')) {
      const [name = '', value = ''] = pair.split(/=(.*)/s).map(decode);
      if (fields.has(name)) return null;
      fields.set(name, value);
    }
  } catch {
    return null;
  }
  const parsed = WsQuery.safeParse(Object.fromEntries(fields));
  return parsed.success ? parsed.data.userId : null;
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
