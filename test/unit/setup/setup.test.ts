import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findNatsServer } from '../../../src/setup/findNatsServer.mjs';
import { findRedisServer } from '../../../src/setup/findRedisServer.mjs';
import { checkNodeVersion } from '../../../src/setup/nodeVersion.mjs';
import { natsServerMissingMessage } from '../../../src/setup/obtainNatsServer.mjs';
import { redisServerMissingMessage } from '../../../src/setup/obtainRedisServer.mjs';
import { summary } from '../../../src/setup/testSummary.mjs';
import { makeTempFolder } from '../../support/run/testRun.ts';

let folder: string;

beforeEach(() => {
  folder = makeTempFolder('setup');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const natsServerIn = (...path: string[]) => programIn('nats-server', ...path);

function programIn(name: string, ...path: string[]): string {
  const file = join(folder, ...path, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

test('a nats-server is looked for in NATS_SERVER_BIN, PATH and the Go folders, in this order', () => {
  const inHome = natsServerIn('home', 'go', 'bin');
  const env = { PATH: join(folder, 'path'), GOBIN: join(folder, 'gobin') };
  const find = (more: object = {}) =>
    findNatsServer({ env: { ...env, ...more }, home: join(folder, 'home') });
  expect(find()).toBe(inHome);
  const inGoBin = natsServerIn('gobin');
  expect(find()).toBe(inGoBin);
  const inPath = natsServerIn('path');
  expect(find()).toBe(inPath);
  const named = natsServerIn('named');
  expect(find({ NATS_SERVER_BIN: named })).toBe(named);
});

test('a NATS_SERVER_BIN that is not executable is an error and not passed over', () => {
  natsServerIn('path');
  const env = { PATH: join(folder, 'path'), NATS_SERVER_BIN: join(folder, 'nothing') };
  expect(() => findNatsServer({ env })).toThrow(/NATS_SERVER_BIN is .*nothing.*not an executable/);
});

test('an empty program, as a power cut leaves it, is passed over', () => {
  writeFileSync(natsServerIn('path'), '');
  const whole = natsServerIn('gobin');
  const env = { PATH: join(folder, 'path'), GOBIN: join(folder, 'gobin') };
  expect(findNatsServer({ env, home: folder })).toBe(whole);
});

test('a folder or a file that cannot be executed is not taken for a nats-server', () => {
  mkdirSync(join(folder, 'path', 'nats-server'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other', 'nats-server'), '', { mode: 0o644 });
  const found = findNatsServer({
    env: { PATH: `${join(folder, 'path')}:${join(folder, 'other')}` },
    home: folder,
  });
  expect(found?.startsWith(folder) ?? false).toBe(false);
});

test('the message about a missing nats-server names every way to get one, and what was tried', () => {
  const message = natsServerMissingMessage(['Go: go cannot be run']);
  for (const way of ['NATS_SERVER_BIN', 'PATH', 'go install', 'apt-get', 'Docker', 'NATS_URL']) {
    expect(message).toContain(way);
  }
  expect(message).toContain('tried Go: go cannot be run');
});

test('a redis-server for the tests is looked for in REDIS_SERVER_BIN and PATH; the message about none names the ways', () => {
  const inPath = programIn('redis-server', 'path');
  const env = { PATH: join(folder, 'path') };
  expect(findRedisServer({ env })).toBe(inPath);
  const named = programIn('redis-server', 'named');
  expect(findRedisServer({ env: { ...env, REDIS_SERVER_BIN: named } })).toBe(named);
  const wrong = { ...env, REDIS_SERVER_BIN: join(folder, 'nothing') };
  expect(() => findRedisServer({ env: wrong })).toThrow(/REDIS_SERVER_BIN is .*not an executable/);
  const message = redisServerMissingMessage(['apt: apt-get cannot be run']);
  for (const way of ['REDIS_SERVER_BIN', 'PATH', 'apt-get', 'Docker', 'tried apt: apt-get cannot be run']) {
    expect(message).toContain(way);
  }
});

test('a Node.js that is too old is refused in one line', () => {
  expect(() => checkNodeVersion('18.20.4')).toThrow(
    /^Node.js 18.20.4 is too old: chat-backend needs 20.19 or later.*$/,
  );
  expect(() => checkNodeVersion('20.18.9')).toThrow();
  expect(() => checkNodeVersion('20.19.0')).not.toThrow();
  expect(() => checkNodeVersion('24.0.0')).not.toThrow();
});

test('a test run counts what passed and failed, and nothing at all is a failure', () => {
  const report = { numPassedTests: 3, numFailedTests: 0, testResults: [] };
  const brokenFile = { status: 'failed', assertionResults: [] };
  const fileWithFailure = { status: 'failed', assertionResults: [{ status: 'failed' }] };
  expect(summary(report, 0, 0)).toEqual({ passed: 3, failed: 0 });
  expect(summary({ ...report, numFailedTests: 1, testResults: [fileWithFailure] }, 1, 0)).toEqual({
    passed: 3,
    failed: 1,
  });
  expect(summary({ ...report, testResults: [brokenFile] }, 1, 0)).toEqual({ passed: 3, failed: 1 });
  expect(summary(report, 0, 2)).toEqual({ passed: 3, failed: 2 });
  expect(summary(report, 1, 0)).toEqual({ passed: 3, failed: 1 });
  expect(summary({ ...report, numPassedTests: 0 }, 0, 0)).toEqual({ passed: 0, failed: 1 });
  expect(summary(null, 1, 0)).toEqual({ passed: 0, failed: 1 });
});
