import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startRunningSystem } from '../support/servers/runningSystem.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The shell blocks of the README's tour, as printed. */
function tour(): string[] {
  const readme = readFileSync(`${root}README.md`, 'utf8');
  const section = readme.slice(readme.indexOf('## Two minutes with it'), readme.indexOf('## Health'));
  return [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
}

async function shell(script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], { cwd: root, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The tour ended with ${code}: ${output}`);
  return output;
}

test('the tour of the README works as printed', async () => {
  const [conversation, operations] = tour();
  const system = await startRunningSystem();
  try {
    const onItsPorts = (script = '') =>
      script
        .replaceAll('http://localhost:3001', system.apiUrl)
        .replaceAll('ws://localhost:3002', system.edgeUrl);
    const env = { ...process.env, CHAT_DATA_DIR: system.dataDir };
    const said = await shell(onItsPorts(conversation), env);
    expect(said).toContain('MessagePosted by alice: hello, world');
    expect(said).toContain('"duplicate":true');
    expect(said).toContain('"source":"database"');
    expect(said).not.toContain('a hole');
    const operated = await shell(onItsPorts(operations), env);
    expect(operated.match(/0 differences/g)).toHaveLength(2);
    expect(operated).toContain('history version 2 is live');
  } finally {
    await system.remove();
  }
});
