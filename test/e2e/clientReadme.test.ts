import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as client from '../../client/src/index.ts';
import { type ClientProject, projectWithClient } from '../support/client/packedClient.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';

const readme = readFileSync(fileURLToPath(new URL('../../client/README.md', import.meta.url)), 'utf8');

let project: ClientProject;
let system: RunningSystem;
beforeAll(async () => {
  project = projectWithClient();
  // Each example is run by itself, and another one's users are gone by then.
  system = await startRunningSystem({ PRESENCE_GRACE_MS: '0' });
});
afterAll(async () => {
  project.remove();
  await system.remove();
});

/** Runs an example as it is printed, with the installed package, on the ports of the test. @returns what it prints */
async function run(name: string): Promise<string[]> {
  const code = new RegExp(`<!-- example: ${name} -->\n\`\`\`js\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1];
  if (code === undefined) throw new Error(`The README has no example ${name}`);
  const onItsPorts = code
    .replaceAll('http://localhost:3001', system.apiUrl)
    .replaceAll('ws://localhost:3002', system.edgeUrl);
  writeFileSync(join(project.folder, name), onItsPorts);
  const { stdout } = await promisify(execFile)(process.execPath, [name], {
    cwd: project.folder,
    timeout: 300_000,
  });
  return stdout.trim().split('\n');
}

test('the example of talking works as printed, and its process ends', async () => {
  expect(await run('talk.mjs')).toEqual(['sending true', 'accepted true', 'alice: hello']);
});

test('the example of showing a conversation works as printed, and its process ends', async () => {
  expect(await run('show.mjs')).toEqual([
    'history: an old message',
    'connection: connecting',
    'connection: open',
    'live: a new message',
    'connection: closed',
  ]);
});

test('the example of changing messages works as printed, and its process ends', async () => {
  expect(await run('change.mjs')).toEqual([
    'MessagePosted',
    'MessageEdited',
    'ReactionAdded',
    'MessageDeleted',
    "{ alice: 'online', bob: 'offline' }",
  ]);
});

test('the example of files and search works as printed, and its process ends', async () => {
  expect(await run('files.mjs')).toEqual([
    '<mark>green</mark> <mark>tea</mark>',
    'tea.txt: 80 °C, two minutes',
    'null',
  ]);
});

test('every error of the package is in the table, and nothing else is', () => {
  const listed = [...readme.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const errors = Object.entries(client).filter(
    ([, value]) => typeof value === 'function' && value.prototype instanceof client.ChatClientError,
  );
  expect(listed.sort()).toEqual(errors.map(([name]) => name).sort());
});
