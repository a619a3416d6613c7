import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder that holds package.json and, with it, `nats/`. Found by walking up, because this file runs both from
 * `src/` (tests) and from `dist/src/` (production).
 */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of chat-backend was not found above its own code');
    folder = parent;
  }
  return folder;
}
