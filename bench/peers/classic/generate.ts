import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { projectRootUrl } from '../../../src/platform/embedded/projectRootUrl.ts';

const FOLDER = new URL('./', import.meta.url);

/**
 * Generates the peer's own Prisma client beside its compiled code, for as long as the measurement needs it. As with the
 * project's client, an engine is asked for that is not used; any executable satisfies it.
 */
export function generateClassicClient(): void {
  const schema = fileURLToPath(new URL('schema.prisma', FOLDER));
  mkdirSync(fileURLToPath(FOLDER), { recursive: true });
  copyFileSync(new URL('bench/peers/classic/schema.prisma', projectRootUrl()), schema);
  const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js');
  const engine = existsSync('/bin/true') ? '/bin/true' : process.execPath;
  const quietly = { CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1', NO_UPDATE_NOTIFIER: '1' };
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: engine, ...quietly };
  const args = [prisma, 'generate', '--no-hints', `--schema=${schema}`];
  execFileSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** What the peer uses of its client, which is not there yet when this is compiled. */
export interface ClassicClient {
  readonly conversation: {
    findUnique(query: { where: { id: string }; select: { id: true } }): Promise<{ id: string } | null>;
  };
  readonly message: {
    create(query: { data: ClassicMessage }): Promise<ClassicMessage & { id: bigint; at: Date }>;
  };
}

export interface ClassicMessage {
  readonly conversationId: string;
  readonly userId: string;
  readonly clientMessageId: string;
  readonly content: string;
}

/** @param adapter what connects it to Postgres */
export function openClassicClient(adapter: object): ClassicClient {
  const generated: { PrismaClient: new (options: { adapter: object }) => ClassicClient } = createRequire(
    import.meta.url,
  )('./generated/index.js');
  return new generated.PrismaClient({ adapter });
}
