import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readRunFile } from '../../src/platform/embedded/runFile.ts';
import { call } from '../support/http/httpApi.ts';
import { makeTempFolder } from '../support/run/testRun.ts';
import { openPowerDisk, type PowerDisk, whyNoPowerDisk } from '../support/servers/powerDisk.ts';
import {
  exitCode,
  launch,
  type RunningSystem,
  startRunningSystem,
} from '../support/servers/runningSystem.ts';
import { waitFor } from '../support/time/waitFor.ts';

/** Which moments the power is cut at. Another one: CHAOS_SEED=7 npm test -- test/chaos */
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const GB = 1_024 ** 3;
const reason = whyNoPowerDisk();

/** Said where it is so, instead of a silence that looks like a pass. */
if (reason !== null) {
  test('power cuts cannot be tried on this machine, and it is said why', () => {
    process.stderr.write(`test/chaos/powerCut.test.ts was left out: ${reason}.\n`);
    expect(reason).toMatch(/\w/);
  });
}

describe.runIf(reason === null)(`when the power is cut (CHAOS_SEED=${SEED})`, () => {
  const random = mulberry32(SEED);
  let folder: string;
  let disk: PowerDisk;
  let dataDir: string;
  let system: RunningSystem;

  beforeEach(() => {
    folder = makeTempFolder('power');
    disk = openPowerDisk(join(folder, 'disk.img'), join(folder, 'disk'), 6 * GB);
    dataDir = join(disk.folder, 'data');
  });
  afterEach(async () => {
    await killEverything(dataDir);
    await disk.close();
    rmSync(folder, { recursive: true });
  });

  const start = () => startRunningSystem({ CHAT_DATA_DIR: dataDir });

  /** The machine loses its power: disk first, then every process. */
  async function cutPower(): Promise<void> {
    disk.cut();
    await killEverything(dataDir, system?.app.pid);
    await disk.plugIn();
  }

  test('what was durable is there after one cut and after another, and what Postgres had comes back', async () => {
    system = await start();
    const chat = await Chat.open(system);
    for (const round of [1, 2]) {
      await chat.talkUntil(() => cutPower(), Math.floor(random() * 40) + 20);
      await system.start();
      await chat.openAgain(system);
      // Nobody is kept from talking, and nothing advises what would destroy the only copy.
      await chat.send('durable');
      const list = await system.cli('projections', 'list');
      expect(list.stdout + list.stderr).not.toMatch(/projections rebuild/);
      await repair(system);
      await chat.expectAllDurable(`after cut ${round}`);
    }
    // The second follows at once: before anything was flushed by time.
    await chat.talkUntil(() => cutPower(), 5);
    await system.start();
    await chat.openAgain(system);
    await repair(system);
    await chat.expectAllDurable('after the cut that followed at once');
  }, 1_800_000);

  test('a cut during a rebuild, and one during a repair, lose nothing that was durable', async () => {
    system = await start();
    const chat = await Chat.open(system);
    await Promise.all(Array.from({ length: 300 }, () => chat.send('durable')));
    const rebuilding = system.cli('projections', 'rebuild', 'all');
    await delay(random() * 1_500);
    await cutPower();
    await rebuilding;
    await system.start();
    await chat.openAgain(system);
    const repairing = system.cli('log', 'repair');
    await delay(300 + random() * 1_200);
    await cutPower();
    await repairing;
    await system.start();
    await chat.openAgain(system);
    await repair(system);
    await chat.expectAllDurable('after cuts of a rebuild and of a repair');
  }, 1_800_000);

  test('whenever the first start is cut, the next one comes up', async () => {
    for (let attempt = 0; attempt < 4; attempt++) {
      const first = launch({
        ...process.env,
        CHAT_DATA_DIR: dataDir,
        PORT: '0',
        EDGE_PORT: '0',
        LOG_LEVEL: 'warn',
      });
      await delay(random() * 4_000);
      disk.cut();
      await killEverything(dataDir, first.child.pid);
      await exitCode(first.child);
      await disk.plugIn();
      system = await start();
      const chat = await Chat.open(system);
      await chat.send('durable');
      await chat.expectAllDurable(`after a first start that was cut (attempt ${attempt})`);
      await system.stop();
      rmSync(dataDir, { recursive: true });
    }
  }, 1_800_000);
});

/** One verification alone may take a minute, and longer on a busy machine. */
const PATIENT = { timeoutMs: 600_000 };

/** Somebody who talks, and remembers what was acknowledged. */
class Chat {
  #system: RunningSystem;
  readonly #conversationId: string;
  readonly #durable = new Set<string>();
  #sent = 0;

  private constructor(system: RunningSystem, conversationId: string) {
    this.#system = system;
    this.#conversationId = conversationId;
  }

  static async open(system: RunningSystem): Promise<Chat> {
    const body = { userId: 'alice', visibility: 'open', title: 'Power' };
    const { conversation } = (await call(system.apiUrl, 'POST', '/api/chat/conversations', body)).body;
    const chat = new Chat(system, conversation.id);
    await chat.send('durable');
    return chat;
  }

  async openAgain(system: RunningSystem): Promise<void> {
    this.#system = system;
    // The conversation may be gone from the log until it is repaired: the history still shows it.
    await waitFor('the API to answer', async () => (await fetch(`${system.apiUrl}/health`)).ok);
  }

  /** @returns whether it was acknowledged at that level */
  async send(level: 'accepted' | 'durable'): Promise<boolean> {
    this.#sent += 1;
    const content = `message ${this.#sent}`;
    const body = { conversationId: this.#conversationId, userId: 'alice', content };
    const headers: Record<string, string> = level === 'durable' ? { Prefer: 'wait=durable' } : {};
    const answer = await call(this.#system.apiUrl, 'POST', '/api/chat/messages', body, headers).catch(
      () => null,
    );
    if (answer?.status !== 201) return false;
    if (answer.body.level === 'durable') this.#durable.add(content);
    return true;
  }

  /** Talks at both levels, and has something happen after that many messages, in the middle of it. */
  async talkUntil(happen: () => Promise<void>, messages: number): Promise<void> {
    const sending: Promise<boolean>[] = [];
    for (let n = 0; n < messages; n++) {
      sending.push(this.send(n % 2 === 0 ? 'durable' : 'accepted'));
      if (n % 8 === 7) await Promise.race(sending.slice(-8));
    }
    await Promise.race(sending);
    await happen();
    await Promise.all(sending);
  }

  async expectAllDurable(when: string): Promise<void> {
    const verified = await waitFor(
      'log and history to agree',
      async () => {
        const { exitCode: code, stdout, stderr } = await this.#system.cli('verify');
        if (code === 0) return stdout;
        throw new Error(`verify ended with ${code}: ${stdout}${stderr}`);
      },
      PATIENT,
    );
    expect(verified, when).toContain('0 differences');
    const shown: string[] = [];
    for (let before = ''; ; ) {
      const path = `/api/chat/conversations/${this.#conversationId}/messages?userId=alice&limit=200${before}`;
      const page = (await call(this.#system.apiUrl, 'GET', path)).body;
      shown.unshift(...page.messages.map(({ content }: { content: string }) => content));
      if (!page.hasMore) break;
      before = `&before=${page.messages[0].seq}`;
    }
    expect(
      [...this.#durable].filter((content) => !shown.includes(content)),
      when,
    ).toEqual([]);
    expect(new Set(shown).size, `no message twice, ${when}`).toBe(shown.length);
    expect(this.#durable.size).toBeGreaterThan(0);
  }
}

/** A repair that is not needed says so, and is none. */
async function repair(system: RunningSystem): Promise<void> {
  const { exitCode: code, stdout, stderr } = await system.cli('log', 'repair');
  expect(code, stdout + stderr).toBe(0);
}

/** The app, both servers, and what they have started; none of them gets to say goodbye. */
async function killEverything(dataDir: string, app?: number): Promise<void> {
  const run = readRunFile(dataDir);
  const named = [app, run?.app.pid, run?.nats?.pid, run?.postgres?.pid];
  const pids = new Set(named.filter((pid) => pid !== undefined && pid !== null));
  for (const pid of processesNaming(dataDir)) pids.add(pid);
  for (const pid of pids) kill(pid);
  await waitFor('every process to be gone', () =>
    processesNaming(dataDir).every((pid) => kill(pid) && false),
  );
}

/** Processes that name a folder in their command line or their environment, and the children of such. */
function processesNaming(folder: string): number[] {
  const all = readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const named = `${command}\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`;
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      return command === '' ? [] : [{ pid, parent, named }];
    } catch {
      return [];
    }
  });
  const found = new Set(all.filter(({ named }) => named.includes(folder)).map(({ pid }) => pid));
  for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  return [...found];
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Numbers from 0 to 1, the same for the same seed. Source: Tommy Ettinger, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
