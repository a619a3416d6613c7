import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeTempFolder } from '../run/testRun.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A project of somebody else that has the client installed, as it would be published. */
export interface ClientProject {
  readonly folder: string;
  /** What the tarball holds, relative to the package. */
  readonly files: readonly string[];
  remove(): void;
}

/** Builds the client, packs it with npm, and unpacks it into a new project's `node_modules`, beside `ws`. */
export function projectWithClient(): ClientProject {
  const folder = makeTempFolder('client');
  const source = join(folder, 'source');
  mkdirSync(source);
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md']) {
    cpSync(join(root, 'client', name), join(source, name));
  }
  runTool('typescript/bin/tsc', ['-p', join(root, 'client'), '--outDir', join(source, 'dist')], root);
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: source,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [tarball] = JSON.parse(packed.toString()) as { filename: string; files: { path: string }[] }[];
  if (tarball === undefined) throw new Error('npm packed nothing');
  const installed = join(folder, 'node_modules/@chat-backend/client');
  mkdirSync(installed, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, tarball.filename), '--strip-components=1', '-C', installed]);
  symlinkSync(join(root, 'node_modules/ws'), join(folder, 'node_modules/ws'));
  const files = tarball.files.map(({ path }) => path);
  return { folder, files, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a tool of this project's `node_modules`. @returns what it printed; throws when it fails */
export function runTool(path: string, args: string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, [join(root, 'node_modules', path), ...args], { cwd }).toString();
  } catch (error) {
    const output = (error as { stdout?: Buffer }).stdout?.toString() ?? '';
    throw new Error(`${path} failed: ${output}`, { cause: error });
  }
}
