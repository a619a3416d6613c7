import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';

/** A small disk in a folder, seen only by what is run on it. */
export interface SmallDisk {
  /** @returns the path of a script that runs this program on the disk */
  wrap(binary: string): string;
  resize(bytes: number): void;
  /** Gives the disk up, when what ran on it has ended. */
  close(): Promise<void>;
}

/** Nobody has to be root for it, but the system must allow namespaces of users, which some containers do not. */
export function canHaveSmallDisks(): boolean {
  return spawnSync('unshare', [...OWN_NAMESPACES, 'true']).status === 0;
}

const OWN_NAMESPACES = ['--user', '--map-root-user', '--mount'];

/**
 * A tmpfs in namespaces of its own, which a process that does nothing holds open, so that it outlives the programs on it.
 *
 * @param folder where it is mounted; made when missing
 * @param script where to write the script of {@link SmallDisk.wrap}
 */
export async function openSmallDisk(folder: string, bytes: number, script: string): Promise<SmallDisk> {
  mkdirSync(folder, { recursive: true });
  const mount = 'mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && exec sleep infinity';
  const holder = spawn('unshare', [...OWN_NAMESPACES, 'sh', '-c', mount, 'sh', String(bytes), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(holder, 'exit');
  const ended = exited.then(() => Promise.reject(new Error(`No disk could be mounted at ${folder}`)));
  await Promise.race([once(holder.stdout, 'data'), ended]);
  ended.catch(() => {});
  const enter = ['--target', String(pidOf(holder)), '--user', '--mount', '--preserve-credentials', '--'];
  return {
    wrap: (binary) => {
      writeFileSync(script, `#!/bin/sh\nexec nsenter ${enter.join(' ')} "${binary}" "$@"\n`);
      chmodSync(script, 0o755);
      return script;
    },
    resize: (size) => {
      const { status } = spawnSync('nsenter', [...enter, 'mount', '-o', `remount,size=${size}`, folder]);
      if (status !== 0) throw new Error(`The disk at ${folder} cannot be resized`);
    },
    close: async () => {
      holder.kill();
      await exited;
    },
  };
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('unshare could not be started');
  return pid;
}
