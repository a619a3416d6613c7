import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { connect } from 'nats';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChatHttp } from '../../client/src/chatHttp.ts';
import { openEnvironment } from '../../src/cli/environment.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { eventSubject } from '../../src/contracts/events/subjects.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { type RunningSystem, startRunningSystem } from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

/** Clears a screen, colours it, turns text around, hides, and begins lines. */
const EVIL = 'x\u001b[2Jy\u009b31m\u007f\u202ez\u200b\u2028\u3164\r\nforged line';
const UNPRINTABLE = /[^\P{C}\n]|[\p{Zl}\p{Zp}\u3164]/u;

let system: RunningSystem;
let folder: string;
let conversationId: string;
let parkedId: string;
let seq: number;
let messageId: string;

beforeAll(async () => {
  system = await startRunningSystem();
  folder = join(system.dataDir, 'lines');
  mkdirSync(folder);
  const http = new ChatHttp({ url: system.apiUrl, userId: 'alice' });
  conversationId = (await http.createConversation({ title: EVIL })).conversation.id;
  const evil = await http.send(conversationId, EVIL, { level: 'durable' });
  seq = evil.seq;
  messageId = evil.message.messageId;
  await http.react(conversationId, (await http.send(conversationId, 'tea')).message.messageId, '❤\ufe0f');
  parkedId = (await http.createConversation()).conversation.id;
  await park();
});
afterAll(() => system.remove());

/** A conversation that waits aside for a reason that somebody else has worded. */
async function park(): Promise<void> {
  const run = system.run();
  const nats = await connect({ servers: run.nats?.url ?? '' });
  await nats.jetstream().publish(eventSubject(parkedId, 'message'), `"${EVIL}`, { msgID: 'damaged' });
  await nats.close();
  const client = new pg.Client(run.postgres?.url);
  await client.connect();
  await waitFor('it to be parked', async () => {
    const { rowCount } = await client.query('UPDATE parked_conversations SET error = $1', [EVIL]);
    return (rowCount ?? 0) >= 4;
  });
  await client.end();
}

/** Every command that there is, with arguments that make it say something of what people wrote. */
function commands(): Record<string, string[][]> {
  const lines = join(folder, 'lines.jsonl');
  writeFileSync(lines, JSON.stringify({ room: EVIL, at: '2026-11-01T10:00:00Z', user: 'alice', text: EVIL }));
  const wrong = join(folder, 'wrong.jsonl');
  writeFileSync(wrong, JSON.stringify({ room: EVIL, at: EVIL, [EVIL]: 1, user: EVIL }));
  const tail = ['--no-follow', '--from', '1'];
  return {
    import: [[lines], [wrong]],
    lag: [[], ['--watch', '--times', '1']],
    verify: [['--wait', '30']],
    'projections list': [[]],
    'projections info': [['history']],
    'projections pause': [['activity']],
    'projections resume': [['activity']],
    'projections rebuild': [['search', '--dry-run']],
    'parked list': [[]],
    'parked show': [['history', parkedId]],
    'parked retry': [['history', parkedId, '--wait', '0']],
    'events tail': [tail, [...tail, '--conversation', conversationId]],
    'events show': [[String(seq)], [String(seq - 1)], [String(seq + 4)]],
    'log repair': [['--dry-run']],
    erase: [
      ['--user', 'alice'],
      ['--message', messageId],
      ['--message', messageId, '--conversation', conversationId],
    ],
  };
}

interface Said {
  readonly printed: string;
  readonly error: string;
}

async function say(args: string[]): Promise<Said> {
  const printed: string[] = [];
  const program = makeProgram({
    loadConfig: () => loadConfig({ CHAT_DATA_DIR: system.dataDir }),
    openEnvironment,
    print: (text) => void printed.push(text),
    exit: () => {},
  });
  const error = await program.parseAsync(args, { from: 'user' }).then(
    () => '',
    (cause: Error) => cause.message,
  );
  return { printed: printed.join('\n'), error };
}

function leaves(command: Command): string[] {
  if (command.commands.length === 0) return [command.name()];
  const below = command.commands.flatMap(leaves);
  return command.parent === null ? below : below.map((name) => `${command.name()} ${name}`);
}

test('no command lets through what people wrote to move a terminal, hide or forge a line', async () => {
  const all = commands();
  const nothing = () => undefined as never;
  const program = makeProgram({
    loadConfig: nothing,
    openEnvironment: nothing,
    print: nothing,
    exit: nothing,
  });
  expect(Object.keys(all).sort()).toEqual(leaves(program).sort());
  let shown = '';
  for (const [name, runs] of Object.entries(all)) {
    for (const args of runs) {
      const text = await say([...name.split(' '), ...args]);
      const json = await say([...name.split(' '), ...args, '--json']);
      for (const said of [text.printed, json.printed]) {
        expect(said, name).not.toMatch(UNPRINTABLE);
        expect(said, name).not.toMatch(/^forged line/m);
      }
      expect(text.error === '' || name === 'import', `${name}: ${text.error}`).toBe(true);
      if (json.printed !== '') for (const line of json.printed.split('\n')) JSON.parse(line);
      shown += text.printed;
    }
  }
  // As it was meant, where it is shown.
  expect(shown).toContain('x\\u001b[2Jy\\u009b31m\\u007f\\u202ez\\u200b');
}, 300_000);

test('errors on standard error are escaped as well, and JSON means what was written', async () => {
  const wrong = await system.cli('import', join(folder, 'wrong.jsonl'));
  expect(wrong.exitCode).toBe(4);
  expect(wrong.stderr).not.toMatch(UNPRINTABLE);
  const usage = await system.cli('projections', 'rebuild', EVIL);
  expect(usage.exitCode).toBe(2);
  expect(usage.stderr).not.toMatch(UNPRINTABLE);
  const { stdout } = await system.cli('events', 'show', String(seq), '--json');
  expect(JSON.parse(stdout)).toMatchObject({ event: { content: EVIL } });
}, 120_000);
