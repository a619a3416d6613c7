import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/platform/embedded/projectRoot.ts';

const root = projectRoot();

/** Folders in which a path may begin when it is written short. */
const ROOMS = ['', 'src', 'projections', 'client', 'docs', 'test'];
/** Begins like a path of the project, or ends like a file that a page would name. */
const PATH = /^(?:[\w.-]+\/)+[\w.*-]*$|^[\w-]+\.(?:ts|mjs|sql|conf|test\.ts)$/;
/** Paths that only come to be on somebody's machine, addresses, subjects. */
const ELSEWHERE =
  /^(?:\.data|node_modules|dist|\/|\.\/|\.\.\/)|^(?:application|text|image|audio|multipart|chat)\//;

/** The pages that people read, with the paths that each names. */
function pages(): { page: string; paths: string[] }[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`);
  return ['README.md', 'CONTRIBUTING.md', 'bench/README.md', 'client/README.md', ...docs].map((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return { page, paths: [...codePaths(text), ...linkPaths(page, text)] };
  });
}

/** What stands in backticks and is a path. */
function codePaths(text: string): string[] {
  const spans = text.replaceAll(/^```.*?^```/gms, '').match(/`[^`\n]+`/g) ?? [];
  return spans.map((span) => span.slice(1, -1)).filter((path) => PATH.test(path) && !ELSEWHERE.test(path));
}

/** Targets of links within the project, relative to the project. */
function linkPaths(page: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target.replace(/#.*/, ''));
  return targets
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
    .map((target) => join(dirname(page), target));
}

/** Where the page says it, from the project's folder, or from a room when it is written short. */
function isThere(page: string, path: string): boolean {
  return [dirname(page), ...ROOMS].some((room) => existsSync(join(root, room, path)));
}

describe('every path that a page names exists:', () => {
  it.each(pages())('$page', ({ page, paths }) => {
    expect(paths.filter((path) => !isThere(page, path))).toEqual([]);
  });

  it('and so does every implementation and contract suite that a port names', () => {
    const ports = readdirSync(join(root, 'src/ports')).map((name) => `src/ports/${name}`);
    const named = ports.map((port) => ({ port, paths: codePaths(readFileSync(join(root, port), 'utf8')) }));
    expect(named.flatMap(({ paths }) => paths.filter((path) => !isThere('', path)))).toEqual([]);
    // What is no port: how often caches are asked, and the one way to read a conversation over any feed.
    const silent = named.filter(({ paths }) => paths.length === 0).map(({ port }) => port);
    expect(silent).toEqual(['src/ports/lookups.ts']);
  });

  it('and there are many of them', () => {
    expect(pages().flatMap(({ paths }) => paths).length).toBeGreaterThan(150);
  });
});
