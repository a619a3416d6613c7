import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/platform/embedded/projectRoot.ts';

const root = projectRoot();
const config = fileURLToPath(new URL('.dependency-cruiser.mjs', import.meta.url));

/** Applies the import table to a folder that is laid out like the project. */
async function cruiseIn(baseDir: string, folders: string[]): Promise<ICruiseResult> {
  const options = await extractDepcruiseOptions(config);
  const { output } = await cruise(folders, { ...options, baseDir });
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered with text: ${output}`);
  return output;
}

/** As `rule: from → to`. */
function violations(result: ICruiseResult): string[] {
  return result.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort();
}

describe('the import table', () => {
  let result: ICruiseResult;
  beforeAll(async () => {
    result = await cruiseIn(root, ['src', 'projections', 'client/src']);
  });

  it('is kept', () => {
    expect(violations(result)).toEqual([]);
  });

  it('was applied to all of the code, TypeScript included', () => {
    const cruised = result.modules.filter(({ source }) =>
      /^(src|projections|client\/src)\/.*\.ts$/.test(source),
    );
    const files = sourceFiles().filter((path) => path.endsWith('.ts'));
    expect(cruised.map(({ source }) => source).sort()).toEqual(files.sort());
    expect(cruised.length).toBeGreaterThan(30);
    expect(result.summary.totalDependenciesCruised ?? 0).toBeGreaterThan(100);
  });

  it('has a row for every folder', async () => {
    const { TABLE, ROOTS } = await import(config);
    const folders = readdirSync(join(root, 'src')).map((name) => `src/${name}`);
    expect([...Object.keys(TABLE), ...ROOTS]).toEqual(expect.arrayContaining([...folders, 'projections']));
  });
});

describe('the canary', () => {
  /** Each file breaks one rule, or none. */
  const FILES: Record<string, { code: string; breaks?: string }> = {
    'src/domain/thing.ts': { code: 'export const thing = 1; export type Thing = number;' },
    'src/ports/port.ts': { code: "export type { Thing } from '../domain/thing.ts';" },
    'src/contracts/good.ts': { code: "import { z } from 'zod'; export const good = z.string();" },
    'src/platform/good.ts': {
      code: "import { readFileSync } from 'node:fs'; export const good = readFileSync;",
    },
    'src/eventlog/types.ts': {
      code: "import type { Thing } from '../domain/thing.ts'; export type T = Thing;",
    },
    'src/eventlog/inline.ts': {
      code: "import { type Thing } from '../domain/thing.ts'; export type T = Thing;",
    },
    'src/main/root.ts': { code: "import '../platform/good.ts'; import '../domain/thing.ts'; export {};" },
    'src/domain/upward.ts': {
      code: "import { good } from '../contracts/good.ts'; export const upward = good;",
      breaks: 'src/domain: only the folders of its row',
    },
    'src/domain/upwardType.ts': {
      code: "import type { Thing } from '../ports/port.ts'; export type T = Thing;",
      breaks: 'src/domain: only the folders of its row',
    },
    'src/domain/clock.ts': {
      code: "import { hrtime } from 'node:process'; export const clock = hrtime;",
      breaks: 'src/domain: nothing of Node',
    },
    'src/domain/bareClock.ts': {
      code: "import fs from 'fs'; export const clock = fs;",
      breaks: 'src/domain: nothing of Node',
    },
    'src/domain/library.ts': {
      code: "import { z } from 'zod'; export const library = z;",
      breaks: 'src/domain: only the packages of its row',
    },
    'src/application/library.ts': {
      code: "import { z } from 'zod'; export const library = z;",
      breaks: 'src/application: only the packages of its row',
    },
    'src/application/reaching.ts': {
      code: "export const reaching = () => import('../platform/good.ts');",
      breaks: 'src/application: only the folders of its row',
    },
    'src/eventlog/values.ts': {
      code: "import { thing } from '../domain/thing.ts'; export const values = thing;",
      breaks: 'src/eventlog: only types',
    },
    'src/edge/rooted.ts': {
      code: "import * as root from '../main/root.ts'; export { root };",
      breaks: 'src/edge: only the folders of its row',
    },
    'src/queries/lost.ts': {
      code: "import { nothing } from './nothing.ts'; export { nothing };",
      breaks: 'src/queries: only what exists',
    },
    'projections/rows.ts': {
      code: "export { good } from '../src/application/reaching.ts';",
      breaks: 'projections: only the folders of its row',
    },
    'client/src/good.ts': { code: 'export const good = 1;' },
    'client/src/better.ts': { code: "export { good } from './good.ts';" },
    'client/src/reaching.ts': {
      code: "import type { good } from '../../src/contracts/good.ts'; export type T = typeof good;",
      breaks: 'client/src: only the folders of its row',
    },
    'client/src/library.ts': {
      code: "import { z } from 'zod'; export const library = z;",
      breaks: 'client/src: only the packages of its row',
    },
    'client/src/clock.ts': {
      code: "import { hrtime } from 'node:process'; export const clock = hrtime;",
      breaks: 'client/src: nothing of Node',
    },
    'src/http/borrowing.ts': {
      code: "export { good } from '../../client/src/good.ts';",
      breaks: 'src/http: only the folders of its row',
    },
    'src/http/a.ts': {
      code: "import { b } from './b.ts'; export const a = () => b;",
      breaks: 'no circles',
    },
    // The other half of the circle, which is reported once.
    'src/http/b.ts': { code: "import { a } from './a.ts'; export const b = () => a;" },
    'src/http/typeOfC.ts': {
      code: "import type { D } from './typeOfD.ts'; export interface C { readonly d: D | null }",
      breaks: 'no circles',
    },
    'src/http/typeOfD.ts': {
      code: "import type { C } from './typeOfC.ts'; export interface D { readonly c: C | null }",
    },
    // The one circle that is allowed, and one that goes through it.
    'src/domain/conversation/events.ts': {
      code: "import type { State } from './state.ts'; export interface Event { readonly state: State | null }",
    },
    'src/domain/conversation/state.ts': {
      code: `
        import type { Event } from './events.ts';
        import type { Third } from './third.ts';
        export interface State { readonly latest: Event | null; readonly third: Third | null }`,
    },
    'src/domain/conversation/third.ts': {
      code: "import type { Event } from './events.ts'; export interface Third { readonly latest: Event | null }",
      breaks: 'no circles',
    },
  };
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chat-imports-'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module","dependencies":{"zod":"*"}}');
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const [path, { code }] of Object.entries(FILES)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), code);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is reported for every deliberate violation, and for nothing else', async () => {
    const reported = violations(await cruiseIn(folder, ['src', 'projections', 'client/src']));
    const wanted = Object.entries(FILES).flatMap(([path, { breaks }]) =>
      breaks ? [`${breaks}: ${path}`] : [],
    );
    expect(reported.map((line) => line.replace(/ → .*/, ''))).toEqual(wanted.sort());
  });
});

describe('style', () => {
  it('no file has more than 300 lines', () => {
    const long = sourceFiles().filter(
      (path) => readFileSync(join(root, path), 'utf8').split('\n').length > 301,
    );
    expect(long).toEqual([]);
  });

  it('no file or folder is named after nothing', () => {
    const vague = sourceFiles().filter((path) => /(^|\/)(utils?|helpers?|common|misc)(\.|\/|$)/i.test(path));
    expect(vague).toEqual([]);
  });
});

/** Every file under src/, projections/ and client/src/, relative to the project. */
function sourceFiles(): string[] {
  return ['src', 'projections', 'client/src'].flatMap((top) =>
    readdirSync(join(root, top), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
  );
}
