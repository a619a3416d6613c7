import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAsyncApi } from '../../contracts/documents/asyncapi/document.ts';
import { buildOpenApi } from '../../contracts/documents/openapi/document.ts';
import { ERRORS, type ErrorEntry } from '../../contracts/errors.ts';
import { DISCONNECTS } from '../../contracts/frames/disconnects.ts';
import { describeSettings } from '../../platform/config/settings.ts';
import { projectRoot } from '../../platform/embedded/projectRoot.ts';
import { cliReference } from './cliReference.ts';

const CONFIG = 'config';
const COMMANDS = 'commands';
const IMPORTS = 'imports';

/**
 * What is written down twice, once in code and once for readers, made from the code: paths relative to the
 * project and what these files must hold. Parts of pages that people write are made only where there is the page.
 *
 * @param root the project's folder
 * @throws Error when such a page has lost its markers
 */
export function generateDocs(root: string = projectRoot()): ReadonlyMap<string, string> {
  const docs = new Map([['.env.example', envExample()], ['docs/errors.md', errorsPage()], ...apiDocuments()]);
  const parts = [
    ['README.md', CONFIG, configTable],
    ['docs/cli.md', COMMANDS, cliReference],
    ['docs/architecture.md', IMPORTS, importTable],
  ] as const;
  for (const [path, name, make] of parts) {
    const page = readOrNull(root, path);
    if (page !== null) docs.set(path, withPart(path, page, name, make()));
  }
  return docs;
}

/** As the API serves them, in a form to read and to compare. */
function apiDocuments(): [string, string][] {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8'));
  const json = (document: object) => `${JSON.stringify(document, null, 2)}\n`;
  return [
    ['docs/api/openapi.json', json(buildOpenApi({ version }))],
    ['docs/api/asyncapi.json', json(buildAsyncApi({ version }))],
  ];
}

function envExample(): string {
  const blocks = describeSettings().map((about) => {
    const unit = about.unit === null ? '' : ` (${about.unit})`;
    const line = `${about.variable}=${about.default ?? about.example}`;
    const comment = `# ${about.description}\n# Allowed${unit}: ${about.allowed}. Example: ${about.example}`;
    return `${comment}\n${about.default === null ? '# ' : ''}${line}\n`;
  });
  const head =
    '# Every setting with its default. Generated from src/platform/config/settings.ts: run "npm run docs".\n';
  return [head, ...blocks].join('\n');
}

/** A page with what lies between the markers of that name replaced. */
function withPart(path: string, page: string, name: string, part: string): string {
  const [opening, closing] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const begin = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (begin < 0 || end < begin) {
    throw new Error(`${path} needs the lines ${opening} and ${closing} around what is generated.`);
  }
  return `${page.slice(0, begin + opening.length)}\n${part}${page.slice(end)}`;
}

function configTable(): string {
  const rows = describeSettings().map((about) => [
    `\`${about.variable}\``,
    about.default === null ? 'unset' : `\`${about.default}\``,
    about.unit ?? '',
    about.allowed,
    about.description,
  ]);
  return table(['Variable', 'Default', 'Unit', 'Allowed', 'Meaning'], rows);
}

interface ImportRow {
  readonly why: string;
  readonly folders: readonly string[];
  readonly types: readonly string[];
  readonly npm: readonly string[] | true;
  readonly node: boolean;
}

/** The table that the import test enforces, for readers. */
function importTable(): string {
  const file = join(projectRoot(), 'test', 'architecture', 'importTable.json');
  const { rows, roots }: { rows: Record<string, ImportRow>; roots: Record<string, string> } = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  const code = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ') || 'nothing';
  const cells = Object.entries(rows).map(([folder, { why, folders, types, npm, node }]) => [
    `\`${folder}\``,
    code(folders),
    types.length === 0 ? '' : code(types),
    npm === true ? 'any' : code(npm),
    node ? 'yes' : 'no',
    why,
  ]);
  const anything = Object.entries(roots).map(([folder, why]) => {
    return [`\`${folder}\``, 'anything; nothing imports it', '', 'any', 'yes', why];
  });
  const titles = ['Folder', 'May import', 'Types of', 'Packages', 'Node', 'What it is'];
  return table(titles, [...cells, ...anything]);
}

function errorsPage(): string {
  const entries: [string, ErrorEntry][] = Object.entries(ERRORS);
  const rows = entries.map(([code, entry]) => [
    `\`${code}\``,
    String(entry.status),
    retry(entry),
    entry.title,
  ]);
  return `# Errors

Generated from \`src/contracts/errors.ts\` and \`src/contracts/frames/disconnects.ts\`: run \`npm run docs\`.

HTTP answers are \`application/problem+json\` with the code in \`code\`; WebSocket answers are frames with
\`"op":"error"\` and the same \`code\`. "Retryable" means that the very same request may succeed later.

${table(['Code', 'HTTP status', 'Retryable', 'Meaning'], rows)}
## Close codes

How the server ends a WebSocket. "Reconnect" means that the client may come back. "Metric" is the label \`reason\` of
\`chat_socket_disconnections_total\`. Any other code is a connection that was lost.

${table(['Close code', 'Name', 'Reason', 'Reconnect', 'Metric'], closeCodes())}`;
}

function closeCodes(): string[][] {
  return Object.entries(DISCONNECTS).map(([name, { code, reason, reconnect, metric }]) => [
    String(code),
    `\`${name}\``,
    reason,
    reconnect ? 'yes' : 'no',
    `\`${metric}\``,
  ]);
}

function retry(entry: ErrorEntry): string {
  if (!entry.retryable) return 'no';
  return entry.retryAfterMs === undefined ? 'yes' : `yes, after ${entry.retryAfterMs} ms`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [titles, titles.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map(escapeCell).join(' | ')} |\n`).join('');
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|');
}

function readOrNull(root: string, path: string): string | null {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

/** Writes what is out of date, or with `--check` only says so and fails. */
function main(): void {
  const root = projectRoot();
  const outdated = [...generateDocs(root)].filter(([path, content]) => readOrNull(root, path) !== content);
  if (process.argv.includes('--check')) {
    for (const [path] of outdated) process.stderr.write(`${path} is out of date: run "npm run docs".\n`);
    process.exitCode = outdated.length === 0 ? 0 : 1;
    return;
  }
  for (const [path, content] of outdated) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    process.stdout.write(`${path} written.\n`);
  }
}

function isScript(): boolean {
  const script = process.argv[1] ?? '';
  return existsSync(script) && realpathSync(script) === fileURLToPath(import.meta.url);
}

if (isScript()) main();
