/**
 * The fields of an upgrade's query; null when one is given twice, or it is not UTF-8 in percent-encoding: which of two would
 * count, or what a broken one means, is anybody's guess.
 */
export function upgradeFields(query: string): ReadonlyMap<string, string> | null {
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
  return fields;
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
