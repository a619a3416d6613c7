import { chmodSync } from 'node:fs';
import { run, SetUpError } from './step.mjs';

/**
 * Takes one program out of an image, to be run without a container.
 *
 * @param {string} image
 * @param {string} path Of the program in it
 * @param {string} target
 */
export async function copyFromImage(image, path, target) {
  if (process.platform !== 'linux') throw new SetUpError('the image holds a Linux program only');
  await run('docker', ['info'], { timeoutMs: 10_000 });
  const output = await run('docker', ['create', image]);
  const container = output.trim().split('\n').at(-1) ?? '';
  try {
    await run('docker', ['cp', `${container}:${path}`, target]);
    chmodSync(target, 0o755);
  } finally {
    await run('docker', ['rm', container]);
  }
}
