import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { searchVector } from '../../../src/platform/text/searchVector.ts';
import { tokenise } from '../../../src/platform/text/tokenise.ts';
import { searchTerms } from '../../../src/queries/searchTerms.ts';
import { anyText } from '../../support/domain/textArbitraries.ts';
import { createTestDatabase, query, type TestDatabase } from '../../support/servers/postgres.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

type Pair = readonly [text: string, search: string];

/** The pairs of which the search does not find the text, by Postgres' own word. */
async function missed(pairs: readonly Pair[]): Promise<Pair[]> {
  const asked = pairs.flatMap((pair) => {
    const terms = searchTerms(pair[1]);
    return terms === null ? [] : [{ pair, vector: searchVector(pair[0]), tsquery: terms.tsquery }];
  });
  const sql = `SELECT nth FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (vector, asked, nth)
    WHERE NOT vector::tsvector @@ asked::tsquery`;
  const rows = await query(database.url, sql, [
    asked.map(({ vector }) => vector),
    asked.map(({ tsquery }) => tsquery),
  ]);
  const isMissed = new Set(rows.map(({ nth }) => Number(nth)));
  return asked.filter((_, n) => isMissed.has(n + 1)).map(({ pair }) => pair);
}

const RUNS = 400;
const texts = () => fc.sample(anyText, RUNS);
/** Of words, so that the signs of a search stay out of it. */
const quoted = (text: string) => `"${text.replaceAll(/["“”„‟«»＂]/g, ' ')}"`;

it('every word of a text finds the text', async () => {
  const pairs = texts().flatMap((text) =>
    tokenise(text).flatMap(({ words, exact, joined }) =>
      [...words, exact, ...(joined ? [joined.word] : [])].map((word): Pair => [text, `${word} `]),
    ),
  );
  expect(pairs.length).toBeGreaterThan(RUNS);
  expect(await missed(pairs)).toEqual([]);
});

it('every text finds itself as a phrase, decomposed, composed and in capitals', async () => {
  const pairs = texts().flatMap((text): Pair[] => {
    const plain = quoted(text).slice(1, -1);
    const forms = [plain, plain.normalize('NFD'), plain.normalize('NFC')];
    return forms.map((form) => [plain, `"${form}"`]);
  });
  expect(await missed(pairs)).toEqual([]);
});

it('every beginning of a word that is long enough finds the text, while it is typed', async () => {
  const pairs = texts().flatMap((text) =>
    tokenise(text).flatMap(({ words: [word = ''], unit }): Pair[] => {
      const signs = [...word];
      return unit || signs.length < 4 ? [] : [[text, signs.slice(0, -1).join('')]];
    }),
  );
  expect(pairs.length).toBeGreaterThan(RUNS / 4);
  expect(await missed(pairs)).toEqual([]);
});

it('whatever is searched for is a tsquery to Postgres, and whatever is written a tsvector', async () => {
  const all = fc.sample(fc.tuple(anyText, anyText), RUNS).map((pair): Pair => pair);
  await missed(all);
  const largest = ['a ', '我', 'Ab1 ', '\ufdfa', '👍', 'é-', '@a ', "x'y "].map((part): Pair => {
    const text = part.repeat(8_000 / [...part].length);
    return [text, text.slice(0, 200)];
  });
  expect(await missed(largest)).toEqual([]);
});
