import { readFileSync } from 'node:fs';

/**
 * Who may import whom, as rules of dependency-cruiser, from `importTable.json`, which also makes the table of
 * docs/architecture.md. Everything that is not named there is forbidden.
 *
 * - `why`: what the folder is, for readers.
 * - `folders`: folders of the project whose code may be used. A folder may always use itself.
 * - `types`: folders of which only the types may be used.
 * - `npm`: packages, or `true` for any.
 * - `node`: whether Node's own modules may be used.
 *
 * `roots` may import anything, and nothing imports them.
 */
const table = JSON.parse(readFileSync(new URL('importTable.json', import.meta.url), 'utf8'));

export const TABLE = table.rows;
export const ROOTS = Object.keys(table.roots);

/** An event of a conversation carries its state, and a state evolves from events: the two describe each other. */
const CIRCLES_ALLOWED = ['src/domain/conversation/(events|state)[.]ts'];

const inside = (folders) => `^(${folders.join('|')})/`;
const node_modules = (packages) => `(^|/)node_modules/(${packages.join('|')})/`;

function rulesOf([folder, { folders, types, npm, node }]) {
  const from = { path: inside([folder]) };
  const rule = (name, to) => ({ name: `${folder}: ${name}`, severity: 'error', from, to });
  const outside = { path: '^(src|projections|prisma|bench|client|test|dist)/' };
  const rules = [
    rule('only the folders of its row', { ...outside, pathNot: inside([folder, ...folders, ...types]) }),
    rule('only what exists', { couldNotResolve: true }),
  ];
  if (types.length > 0) {
    rules.push(rule('only types', { path: inside(types), dependencyTypesNot: ['type-only'] }));
  }
  if (npm !== true) {
    const others = npm.length === 0 ? {} : { pathNot: node_modules(npm) };
    rules.push(rule('only the packages of its row', { path: '(^|/)node_modules/', ...others }));
  }
  if (!node) rules.push(rule('nothing of Node', { dependencyTypes: ['core'] }));
  return rules;
}

export default {
  forbidden: [
    ...Object.entries(TABLE).flatMap(rulesOf),
    {
      name: 'no circles',
      severity: 'error',
      from: {
        path: '^(src|projections|client/src)/',
        pathNot: CIRCLES_ALLOWED.map((path) => `^${path}$`),
      },
      to: { circular: true },
    },
  ],
  options: {
    // Sees imports of types too, which the compiled code no longer shows.
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '^prisma/generated/'] },
    exclude: { path: '^dist/' },
  },
};
