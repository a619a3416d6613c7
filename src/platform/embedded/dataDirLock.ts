import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AlreadyRunningError } from './errors.ts';
import { processIdentity } from './processInfo.ts';

const ownerSchema = z.object({ pid: z.number().int().positive(), identity: z.string() });

type Owner = z.infer<typeof ownerSchema>;

const attemptsMax = 5;

/**
 * Makes this process the only one that runs servers on the data folder: two nats-servers on one store would destroy
 * it. The lock is a file with the owner's pid and identity, so it is void as soon as its owner is dead, and a reused
 * pid does not keep it. Returns the function that gives it back.
 *
 * @throws AlreadyRunningError
 */
export function lockDataDir(dataDir: string): () => void {
  const file = join(dataDir, 'app.lock');
  const me = { pid: process.pid, identity: processIdentity(process.pid) ?? '' };
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (claim(file, me)) return () => release(file, me);
    const owner = readOwner(file);
    if (owner !== null && processIdentity(owner.pid) === owner.identity)
      throw new AlreadyRunningError(dataDir, owner.pid);
    removeStale(file, owner);
  }
  throw new AlreadyRunningError(dataDir, readOwner(file)?.pid ?? 0);
}

/** A link to a complete file either appears at once or fails because there is one already. */
function claim(file: string, me: Owner): boolean {
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  writeFileSync(beside, JSON.stringify(me), { mode: 0o600 });
  try {
    linkSync(beside, file);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(beside, { force: true });
  }
}

/** Takes the file aside before it checks again: another process may have replaced the void lock by its own meanwhile. */
function removeStale(file: string, stale: Owner | null): void {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (!isSame(readOwner(aside), stale)) linkSync(aside, file);
  rmSync(aside, { force: true });
}

function release(file: string, me: Owner): void {
  if (isSame(readOwner(file), me)) rmSync(file, { force: true });
}

function isSame(one: Owner | null, other: Owner | null): boolean {
  return one?.pid === other?.pid && one?.identity === other?.identity;
}

function readOwner(file: string): Owner | null {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return ownerSchema.safeParse(content).data ?? null;
  } catch {
    return null;
  }
}
