import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { withAptPackages } from './aptPackages.mjs';
import { copyFromImage } from './dockerImage.mjs';
import { missingMessage, obtain } from './obtain.mjs';
import { binFolder, executable } from './paths.mjs';
import { run, SetUpError } from './step.mjs';

const version = '2.15.2';
const target = join(binFolder, executable('nats-server'));

/** Each from a package registry, and none of them changing the system. */
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
    // The image holds one static program.
    get: () => copyFromImage(`nats:${version}`, '/nats-server', target),
  },
];

/**
 * Tries every way in turn and returns the path of the server.
 *
 * @returns {Promise<string>}
 * @throws SetUpError that names all the ways
 */
export async function obtainNatsServer() {
  const failures = await obtain(target, ways);
  if (failures.length > 0) throw new SetUpError(natsServerMissingMessage(failures));
  return target;
}

/** @param {string[]} failures What was tried, and why it did not work */
export function natsServerMissingMessage(failures) {
  const helps = [
    'set NATS_SERVER_BIN to a nats-server binary, or put one into PATH (https://nats.io/download)',
    ...ways.map(({ about }) => about),
    'set NATS_URL to a nats-server with JetStream that is running elsewhere',
  ];
  return missingMessage('No nats-server was found, and none could be obtained.', helps, failures);
}

async function withGo() {
  // Without cgo no C compiler is needed.
  const env = { ...process.env, GOBIN: binFolder, CGO_ENABLED: '0' };
  await run('go', ['install', `github.com/nats-io/nats-server/v2@v${version}`], { env });
}

async function withApt() {
  await withAptPackages(
    async () => ['nats-server'],
    (unpacked) => {
      const places = ['usr/sbin', 'usr/bin'].map((place) => join(unpacked, place, 'nats-server'));
      cpSync(places.find((path) => existsSync(path)) ?? places[0], target);
    },
  );
}
