import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { rawCall } from '../../support/http/rawCall.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.stop());

const get = (path: string) => rawCall(api.url, { method: 'GET', path });

it('the page allows what it needs, all of which is served here', async () => {
  const page = await get('/docs');
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = page.headers.get('content-security-policy');
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  // What the first does not stand in for.
  expect(policy).toContain("base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(page.text).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|\sstyle=/);
  const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
  expect(links.length).toBeGreaterThan(5);
  const types: Record<string, RegExp> = {
    css: /^text\/css/,
    js: /^text\/javascript/,
    png: /^image\/png/,
    json: /json/,
  };
  const etags = new Set<string | null>();
  for (const link of links) {
    expect(link).toMatch(/^\/docs\/[\w.-]+$/);
    const { status, headers, text } = await get(link);
    expect([link, status, text.length > 0]).toEqual([link, 200, true]);
    expect(headers.get('content-type')).toMatch(types[link.split('.').at(-1) ?? ''] ?? /^$/);
    expect(headers.get('cache-control')).toBe('no-cache');
    etags.add(headers.get('etag'));
  }
  // Or a browser would take one file for another.
  expect(etags.size).toBe(new Set(links).size);
});
