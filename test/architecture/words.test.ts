import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/platform/embedded/projectRoot.ts';

const root = projectRoot();

/** Names that had a private meaning, with the field's word for each. docs/glossary.md has the words. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/\b#?(?:is)?[uU]nderWay(?:Max)?\b/, 'inFlight'],
  [/\bnew Turns\b|: Turns\b|\batOnceMax\b/, 'ConcurrencyLimit, activeMax'],
  [/\bMemberships?\b/, 'Subscription(s)'],
  [/\bRecentEvents\b/, 'ReplayBuffer'],
  [/\bPastEvents\b/, 'LogPages'],
  [/\bshareOut\b/, 'rebalance'],
  [/\blevelReached\b/, 'ackLevel'],
  [/\bexpressMessages\b|\bpoolOptions\b/, 'chatErrors, expressPrototypes, pool'],
  [/\b(?:silent|stalled)Looks\b|\bLOOKS?_\w+|\b\w*_LOOKS\b|\blook(?:Every)?Ms\b/, 'check, tick, poll'],
  [
    /\btroubled\b|\bbuiltVersion\b|\bdatabaseTelling\b|\bclientUnderTest\b/,
    'faultyStores, readModelTables, …',
  ],
];

/** Turns of phrase in comments, messages and pages. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [/\bwhoever\b/i, 'name the subject: the reader, the caller, a client'],
  [/\bfor ever\b/i, 'without end, never changes'],
  [/\bso many\b/i, 'the number'],
  [/\banew\b/i, 'again, rebuilt, restarted'],
  [/\btold\b/i, 'gets, is asked, is answered'],
  [/\bbegan again\b|\bin a row\b/i, 'restarted; consecutive'],
  [/\bbehind (?:`after`|the (?:checkpoint|sequence|position))/i, 'after'],
];

function files(tops: readonly string[], ending: RegExp): string[] {
  return tops.flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((path) => ending.test(path) && !/node_modules|generated/.test(path))
      .map((path) => `${top}/${path}`),
  );
}

/** `path:line: text → better` for everything that is found. */
function found(paths: readonly string[], words: readonly (readonly [RegExp, string])[]): string[] {
  return paths.flatMap((path) =>
    readFileSync(join(root, path), 'utf8')
      .split('\n')
      .flatMap((line, n) =>
        words
          .filter(([word]) => word.test(line))
          .map(([, better]) => `${path}:${n + 1}: ${line.trim()} → ${better}`),
      ),
  );
}

const CODE = files(['src', 'projections', 'client/src', 'bench'], /\.(?:ts|mjs|sql)$/);
const TESTS = files(['test'], /\.ts$/).filter((path) => path !== 'test/architecture/words.test.ts');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'client/README.md',
  ...files(['docs'], /\.md$/),
];

describe('the words of the field', () => {
  it('are the names of things, in code and in tests', () => {
    expect(found([...CODE, ...TESTS], NAMES)).toEqual([]);
  });

  it('are what comments, messages and pages are made of', () => {
    expect(found([...CODE, ...PAGES], PHRASES)).toEqual([]);
  });

  it('are told from others where they stand', () => {
    expect(
      NAMES.filter(([name]) => name.test('const underWay = new Turns(RecentEvents, LOOK_MS);')),
    ).toHaveLength(4);
    const sentence = 'Whoever is told so many things for ever begins anew, behind the checkpoint.';
    expect(PHRASES.filter(([phrase]) => phrase.test(sentence))).toHaveLength(6);
  });
});
