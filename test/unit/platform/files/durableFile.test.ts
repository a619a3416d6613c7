import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { flushTree, writeDurably } from '../../../../src/platform/files/durableFile.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chat-durable-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file is replaced as a whole, readable by its owner alone, and leaves nothing beside it', () => {
  const path = join(folder, 'secret');
  writeDurably(path, 'one');
  writeDurably(path, new Uint8Array([116, 119, 111]));
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['secret']);
});

test('a write that fails leaves the old content, and nothing beside it', () => {
  const path = join(folder, 'taken');
  mkdirSync(path);
  writeFileSync(join(path, 'inside'), 'old');
  expect(() => writeDurably(path, 'new')).toThrow();
  expect(readFileSync(join(path, 'inside'), 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['taken']);
});

test('a tree is flushed with all its files', async () => {
  mkdirSync(join(folder, 'a', 'b'), { recursive: true });
  for (const path of ['one', 'a/two', 'a/b/three']) writeFileSync(join(folder, path), path);
  expect(await flushTree(folder)).toBe(3);
});
