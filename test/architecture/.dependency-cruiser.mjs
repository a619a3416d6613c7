/**
 * Who may import whom: the table of the architecture document as rules of dependency-cruiser. Everything that is
 * not named here is forbidden.
 *
 * - `folders`: folders of the project whose code may be used. Everybody may use their own folder.
 * - `types`: folders of which only the types may be used.
 * - `npm`: packages, or `true` for any.
 * - `node`: whether Node's own modules may be used.
 */
export const TABLE = {
  'src/domain': { folders: [], types: [], npm: [], node: false },
  'src/contracts': { folders: ['src/domain'], types: [], npm: ['zod'], node: false },
  'src/ports': { folders: ['src/contracts'], types: ['src/domain'], npm: [], node: false },
  'src/application': {
    folders: ['src/domain', 'src/contracts', 'src/ports'],
    types: [],
    npm: ['lru-cache'],
    node: false,
  },
  'src/eventlog': {
    folders: ['src/ports', 'src/contracts', 'src/platform'],
    types: ['src/domain'],
    npm: ['nats'],
    node: true,
  },
  'src/platform': {
    folders: ['src/contracts', 'src/ports', 'prisma/generated'],
    types: [],
    npm: true,
    node: true,
  },
  'src/queries': { folders: ['src/contracts', 'src/platform'], types: [], npm: ['zod', 'pg'], node: true },
  'src/middleware': {
    folders: ['src/contracts', 'src/ports', 'src/platform'],
    types: [],
    npm: true,
    node: true,
  },
  'src/http': {
    folders: [
      'src/application',
      'src/queries',
      'src/ports',
      'src/contracts',
      'src/middleware',
      'src/observability',
      'src/platform',
    ],
    types: ['src/domain'],
    npm: true,
    node: true,
  },
  'src/edge': {
    folders: ['src/application', 'src/ports', 'src/contracts', 'src/middleware', 'src/platform'],
    types: ['src/domain'],
    npm: true,
    node: true,
  },
  // It subscribes to what the others emit, so it knows the types of their events, and nothing more of them.
  'src/observability': {
    folders: ['src/contracts', 'src/ports', 'src/queries', 'src/platform'],
    types: ['src/edge', 'src/eventlog', 'src/http', 'src/maintenance', 'projections'],
    npm: ['pino', 'prom-client'],
    node: true,
  },
  // Not a row of the document: it compares and repairs what the others keep, so it reads both sides, folds
  // events as the domain does, and pauses workers.
  'src/maintenance': {
    folders: [
      'src/domain',
      'src/application',
      'src/queries',
      'src/ports',
      'src/contracts',
      'src/platform',
      'projections/runner/control',
    ],
    types: [],
    npm: ['pg'],
    node: true,
  },
  projections: {
    folders: ['src/contracts', 'src/ports', 'src/platform'],
    types: ['src/domain'],
    npm: true,
    node: true,
  },
  // It runs before anything is installed.
  'src/setup': { folders: [], types: [], npm: [], node: true },
  // Published by itself, for browsers too: it may use nothing but its own.
  'client/src': { folders: [], types: [], npm: [], node: false },
};

/** May import anything, and nobody imports them. */
export const ROOTS = ['src/main', 'src/cli'];

/** An event of a conversation carries its state, and a state evolves from events: the two describe each other. */
const CIRCLES_ALLOWED = ['src/domain/conversation/(events|state)[.]ts'];

/** Being removed. A circle is reported unless one of its files is listed here. */
const CIRCLES_BEING_REMOVED = [
  'projections/runner/(store|versions)[.]ts',
  'src/contracts/frames/(clientFrames|serverFrames)[.]ts',
  'src/edge/(session|subscriptions)[.]ts',
  'src/main/(announcement|system)[.]ts',
  'src/main/(parts|roles)/.+',
];

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
        pathNot: [...CIRCLES_ALLOWED, ...CIRCLES_BEING_REMOVED].map((path) => `^${path}$`),
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
