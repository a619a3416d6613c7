import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, SetUpError } from './step.mjs';

/**
 * Downloads packages of Debian or Ubuntu and unpacks them, without installing them: so no root is needed where the lists
 * are there, and no server is started on the system's own port. Lists that are missing or old are fetched, by root.
 *
 * @template T
 * @param {() => Promise<string[]>} names Asked again once the lists are new
 * @param {(unpacked: string) => T} use What to take from the folder in which all lie together; it goes away afterwards
 * @returns {Promise<T>}
 */
export async function withAptPackages(names, use) {
  const folder = mkdtempSync(join(tmpdir(), 'chat-backend-apt-'));
  // apt downloads as a user of its own, who must be able to write here.
  chmodSync(folder, 0o777);
  const download = async () => run('apt-get', ['download', ...(await names())], { cwd: folder });
  try {
    await download().catch(async (error) => {
      if (process.getuid?.() !== 0) throw error;
      await run('apt-get', ['update', '-qq']);
      return download();
    });
    const archives = readdirSync(folder).filter((name) => name.endsWith('.deb'));
    if (archives.length === 0) throw new SetUpError('apt-get downloaded nothing');
    for (const archive of archives)
      await run('dpkg-deb', ['--extract', archive, 'unpacked'], { cwd: folder });
    return use(join(folder, 'unpacked'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
