import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from '../../src/platform/embedded/projectRoot.ts';

const TABLES = /\b(projection_(checkpoints|versions|workers|controls)|(?<!_)parked_conversations)\b/;
/** The runner's own statements, and what is read of its tables: the import table keeps `src/queries` from the former. */
const ROOMS = ['projections/runner/control/', 'src/queries/'];

it("has SQL on the runner's tables in one place, and in the queries", () => {
  const files = ['src', 'projections'].flatMap((folder) =>
    readdirSync(join(projectRoot(), folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${folder}/${path}`),
  );
  const naming = files.filter((path) => TABLES.test(readFileSync(join(projectRoot(), path), 'utf8')));
  expect(naming.filter((path) => !ROOMS.some((room) => path.startsWith(room)))).toEqual([]);
  for (const room of ROOMS) expect(naming.some((path) => path.startsWith(room))).toBe(true);
});
