import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { waitFor } from '../time/waitFor.ts';

/** A disk whose power can be cut: what was flushed is there afterwards, the rest is gone. */
export interface PowerDisk {
  /** Where it is mounted. */
  readonly folder: string;
  /** Nothing that is written from now on gets to the disk, and what was not flushed is lost. */
  cut(): void;
  /** Mounts it again, once everything that had it open has ended. */
  plugIn(): Promise<void>;
  close(): Promise<void>;
}

/** Shuts a file system down without flushing. Source: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, linux/fs/ext4/ext4.h. */
const PYTHON_SHUTDOWN =
  'import fcntl,os,struct,sys;fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587D,struct.pack("I",2))';

function shutDown(folder: string): boolean {
  if (run('xfs_io', '-x', '-c', 'shutdown', folder)) return true;
  return run('python3', '-c', PYTHON_SHUTDOWN, folder);
}

const run = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const has = (command: string) => run('sh', '-c', `command -v ${command}`);

/** @returns why this machine cannot cut a disk's power; null when it can */
export function whyNoPowerDisk(): string | null {
  if (process.getuid?.() !== 0) return 'only root may mount';
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices';
  for (const tool of ['mkfs.ext4', 'mount', 'umount']) if (!has(tool)) return `${tool} is missing`;
  if (!has('xfs_io') && !has('python3'))
    return 'xfs_io (xfsprogs) or python3 is needed to shut a file system down';
  return null;
}

/** An ext4 in a file, mounted through a loop device. @param image where the file goes */
export function openPowerDisk(image: string, folder: string, bytes: number): PowerDisk {
  writeFileSync(image, '');
  truncateSync(image, bytes);
  mkdirSync(folder, { recursive: true });
  // Journalled metadata every five seconds, data when it is flushed: as most servers are.
  if (!run('mkfs.ext4', '-q', '-F', image)) throw new Error('mkfs.ext4 made no file system');
  const mount = () => {
    if (!run('mount', '-o', 'loop', image, folder)) throw new Error(`${image} cannot be mounted`);
  };
  const unmount = () => waitFor('the disk to be free', () => run('umount', folder), { timeoutMs: 120_000 });
  mount();
  return {
    folder,
    cut: () => {
      if (!shutDown(folder)) throw new Error('The file system could not be shut down');
    },
    plugIn: async () => {
      await unmount();
      mount();
    },
    close: async () => {
      await unmount();
      rmSync(image);
    },
  };
}
