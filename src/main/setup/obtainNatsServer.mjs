import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binFolder, executable } from './paths.mjs';
import { run, SetUpError } from './step.mjs';

const version = '2.15.2';
const target = join(binFolder, executable('nats-server'));

/**
 * Ways to get a nats-server that this machine does not have yet, each from a package registry and none of them
 * changing the system. `about` says what a person could do.
 */
const ways = [
  {
    name: 'Go',
    about: `install Go (https://go.dev) and start again: "go install" then builds version ${version}`,
    get: withGo,
  },
  { name: 'apt', about: 'as root on Debian or Ubuntu: apt-get install nats-server', get: withApt },
  {
    name: 'Docker',
    about: 'start a Docker engine: the server is then taken from the official image',
    get: withDocker,
  },
];

/**
 * Tries every way in turn and returns the path of the server.
 *
 * @returns {Promise<string>}
 * @throws SetUpError that names all the ways
 */
export async function obtainNatsServer() {
  mkdirSync(binFolder, { recursive: true });
  /** @type {string[]} */
  const failures = [];
  for (const { name, get } of ways) {
    try {
      await get();
      if (existsSync(target)) return target;
      failures.push(`${name}: ended without a nats-server`);
    } catch (error) {
      failures.push(`${name}: ${firstLine(error)}`);
    }
  }
  throw new SetUpError(natsServerMissingMessage(failures));
}

/** @param {string[]} failures What was tried, and why it did not work */
export function natsServerMissingMessage(failures) {
  const all = [
    'set NATS_SERVER_BIN to a nats-server binary, or put one into PATH (https://nats.io/download)',
    ...ways.map(({ about }) => about),
    'set NATS_URL to a nats-server with JetStream that is running elsewhere',
  ];
  const tried = failures.map((failure) => `  tried ${failure}`).join('\n');
  return `No nats-server was found, and none could be obtained. Any one of these helps:\n${all
    .map((way) => `  - ${way}`)
    .join('\n')}\n${tried}`;
}

/** @param {unknown} error */
function firstLine(error) {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').filter(Boolean);
  return lines.length > 1 ? `${lines[0]} ${lines.at(-1)}` : (lines[0] ?? 'unknown reason');
}

async function withGo() {
  // Without cgo no C compiler is needed.
  const env = { ...process.env, GOBIN: binFolder, CGO_ENABLED: '0' };
  await run('go', ['install', `github.com/nats-io/nats-server/v2@v${version}`], { env });
}

/**
 * The package is unpacked and not installed: so no root is needed where the lists are there, and no server is started
 * on the system's own port.
 */
async function withApt() {
  const folder = mkdtempSync(join(tmpdir(), 'chat-backend-apt-'));
  // apt downloads as a user of its own, who must be able to write here.
  chmodSync(folder, 0o777);
  try {
    await run('apt-get', ['download', 'nats-server'], { cwd: folder }).catch(async (error) => {
      if (process.getuid?.() !== 0) throw error;
      await run('apt-get', ['update', '-qq']);
      return run('apt-get', ['download', 'nats-server'], { cwd: folder });
    });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new SetUpError('apt-get downloaded nothing');
    await run('dpkg-deb', ['--extract', archive, 'unpacked'], { cwd: folder });
    const unpacked = ['usr/sbin', 'usr/bin'].map((place) => join(folder, 'unpacked', place, 'nats-server'));
    cpSync(unpacked.find((path) => existsSync(path)) ?? unpacked[0], target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The image holds one static program, which runs on Linux without a container. */
async function withDocker() {
  if (process.platform !== 'linux') throw new SetUpError('the image holds a Linux program only');
  await run('docker', ['info'], { timeoutMs: 10_000 });
  const output = await run('docker', ['create', `nats:${version}`]);
  const container = output.trim().split('\n').at(-1) ?? '';
  try {
    await run('docker', ['cp', `${container}:/nats-server`, target]);
    chmodSync(target, 0o755);
  } finally {
    await run('docker', ['rm', container]);
  }
}
