import pg from 'pg';
import { searchVector } from '../../src/platform/text/searchVector.ts';
import { median } from '../support/conversations.ts';
import { corpusTexts } from '../support/corpus.ts';
import { startBenchServers } from '../support/servers.ts';

/**
 * What the words of a message cost: our tokeniser in Node, with the literal that it writes; Postgres' own `to_tsvector` with
 * the configuration `simple`; and `Intl.Segmenter`, which finds the words of all scripts but folds and splits nothing.
 */
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const TEXTS = Number(process.env.BENCH_MESSAGES ?? 20_000);
const LENGTH_MAX = 8_000;
/** `Intl.Segmenter` takes 50 ms for one of the longest. */
const LONGEST = 10;

const corpus = corpusTexts();
const sets: Record<string, string[]> = {
  corpus: Array.from({ length: TEXTS }, (_, n) => corpus[n % corpus.length] ?? ''),
  'the corpus with curly apostrophes': Array.from(
    { length: TEXTS },
    (_, n) => `’${corpus[n % corpus.length]}`,
  ),
  Chinese: Array.from({ length: TEXTS / 10 }, () => '我们明天去上海市中心吃饭，你来吗？'.repeat(3)),
  'the longest, ASCII': Array.from({ length: LONGEST }, () => longest('the quick brown fox, 42; ')),
  'the longest, Chinese': Array.from({ length: LONGEST }, () => longest('我家在上海，')),
  'the longest, of parts': Array.from({ length: LONGEST }, () => longest('aB1é_')),
};

const servers = await startBenchServers({ postgres: true });
const client = new pg.Client({ connectionString: servers.databaseUrl });
await client.connect();
const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

for (const [name, texts] of Object.entries(sets)) {
  const own: number[] = [];
  const segmented: number[] = [];
  const parsed: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(cpuMs(() => texts.reduce((length, text) => length + searchVector(text).length, 0)));
    segmented.push(
      cpuMs(() => texts.reduce((count, text) => count + [...segmenter.segment(text)].length, 0)),
    );
    const startedAt = performance.now();
    await client.query("SELECT sum(length(to_tsvector('simple', t))) FROM unnest($1::text[]) AS n (t)", [
      texts,
    ]);
    parsed.push(performance.now() - startedAt);
  }
  const perText = (ms: number[]) => `${((1_000 * median(ms)) / texts.length).toFixed(1)} µs`;
  const characters = Math.round(texts.reduce((sum, text) => sum + text.length, 0) / texts.length);
  console.log(
    `tokenise, ${name} (${characters} characters): ${perText(own)}; Intl.Segmenter ${perText(segmented)}; ` +
      `to_tsvector ${perText(parsed)}`,
  );
}

await client.end();
await servers.stop();

function longest(part: string): string {
  return part.repeat(LENGTH_MAX).slice(0, LENGTH_MAX);
}

/** Processor time of this process, in milliseconds. */
function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
