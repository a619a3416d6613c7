import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClientProject, projectWithClient, runTool } from '../../support/client/packedClient.ts';

let project: ClientProject;
beforeAll(() => {
  project = projectWithClient();
});
afterAll(() => project.remove());

const installed = () => join(project.folder, 'node_modules/@chat-backend/client');

test('it has code, types, README and changelog, and depends on nothing', () => {
  const sources = readdirSync(fileURLToPath(new URL('../../../client/src', import.meta.url)));
  const built = sources.map((name) => `dist/${name.replace(/\.ts$/, '')}`);
  const expected = built.flatMap((name) => [`${name}.js`, `${name}.d.ts`]);
  expect([...project.files].sort()).toEqual(
    ['CHANGELOG.md', 'README.md', 'package.json', ...expected].sort(),
  );
  const manifest = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8'));
  for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies', 'bundleDependencies']) {
    expect(manifest).not.toHaveProperty(kind);
  }
  let imports = 0;
  for (const path of project.files.filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(installed(), path), 'utf8');
    for (const [, from] of code.matchAll(/^(?:import|export) [^=\n'"(]*['"]([^'"]+)['"];$/gm)) {
      expect(from).toMatch(/^\.\/\w+\.js$/);
      imports += 1;
    }
  }
  expect(imports).toBeGreaterThan(20);
});

test('a plain ESM script of Node can import and use it', () => {
  const script = `
    import { ChatClient, ChatHttp, WebSocketMissingError } from '@chat-backend/client';
    import WebSocket from 'ws';
    const chat = new ChatClient({ url: 'ws://localhost:1', userId: 'alice', WebSocket });
    new ChatHttp({ url: 'http://localhost:1', userId: 'alice' });
    chat.close();
    const bare = () => new ChatClient({ url: 'ws://localhost:1', userId: 'alice' });
    delete globalThis.WebSocket;
    try { bare(); } catch (error) { console.log(chat.state, error instanceof WebSocketMissingError); }
  `;
  writeFileSync(join(project.folder, 'script.mjs'), script);
  const said = execFileSync(process.execPath, ['script.mjs'], { cwd: project.folder }).toString();
  expect(said.trim()).toBe('closed true');
});

test.each([
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
])('its types are whole for a strict project with module %s, resolution %s', (module, moduleResolution) => {
  const code = `
    import { type Attachment, type ChangedFrame, ChatClient, ChatHttp } from '@chat-backend/client';
    import type { RoomEvent, SearchPage, SentMessage } from '@chat-backend/client';
    const chat = new ChatClient({ url: 'ws://localhost:1', userId: 'alice', WebSocket });
    const http = new ChatHttp({ url: 'http://localhost:1', userId: 'alice' });
    const room = chat.join('*');
    const seen: RoomEvent[] = [];
    room.on('event', (event) => seen.push(event));
    export const message: SentMessage = room.send('hello');
    export const pending: number = chat.pending;
    export const edited: Promise<ChangedFrame> = room.edit('m_1', 'better', { seq: 7 });
    export const uploaded: Promise<Attachment> = http.upload('c_1', new File(['hi'], 'hi.txt'));
    export const found: Promise<SearchPage> = http.search('tea', { cursor: '7' }, { signal: AbortSignal.abort() });
    // @ts-expect-error there is no such event
    room.on('nothing', () => {});
  `;
  writeFileSync(join(project.folder, 'app.mts'), code);
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'es2022', lib: ['es2022', 'dom'], types: [] },
    ...{ strict: true, skipLibCheck: false, noEmit: true },
  };
  const settings = { compilerOptions, files: ['app.mts'] };
  writeFileSync(join(project.folder, 'tsconfig.json'), JSON.stringify(settings));
  runTool('typescript/bin/tsc', ['-p', '.'], project.folder);
});
