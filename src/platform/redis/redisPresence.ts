import { z } from 'zod';
import type { Lookups } from '../../ports/lookups.ts';
import type { SharedPresence } from '../../ports/sharedPresence.ts';
import type { Timers } from '../../ports/timers.ts';
import { jittered } from '../time/jitter.ts';
import type { Redis } from './redis.ts';

/** How long changes are collected before they are written, in milliseconds. */
const CHANGES_MS = 250;
/** From one sign of life to the next, in milliseconds, give or take a fifth: two may get lost. */
const BEAT_MS = 20_000;
const BEAT_JITTER = 0.2;
/** Time from an edge's last sign of life until it is gone, in milliseconds: the same as for announcements. */
const GONE_MS = 65_000;
/** Users named in one command. */
const PART_USERS = 500;
/** Edges that one question searches, at most. */
const EDGES_MAX = 1_024;
/** How long a question may take, in milliseconds. */
const ONLINE_MS_MAX = 100;

const EDGES_KEY = 'chat:presence';

/** KEYS: the set of edges. ARGV: who asks, then users. Returns 1 or 0 for each user: whether another edge has them. */
const ONLINE = `
local found = {}
for user = 1, #ARGV - 1 do found[user] = 0 end
for _, edge in ipairs(redis.call('SRANDMEMBER', KEYS[1], ${EDGES_MAX})) do
  if edge ~= ARGV[1] then
    for user, flag in ipairs(redis.call('SMISMEMBER', KEYS[1] .. ':' .. edge, unpack(ARGV, 2))) do
      if flag == 1 then found[user] = 1 end
    end
  end
end
return found`;

/**
 * KEYS: the set of edges, this edge's users. ARGV: this edge, for how long it is alive (ms). Drops edges whose users
 * are gone. Returns how many users this edge has here.
 */
const BEAT = `
for _, edge in ipairs(redis.call('SRANDMEMBER', KEYS[1], ${EDGES_MAX})) do
  if redis.call('EXISTS', KEYS[1] .. ':' .. edge) == 0 then redis.call('SREM', KEYS[1], edge) end
end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local users = redis.call('SCARD', KEYS[2])
if users > 0 then
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return users`;

/** KEYS: a set of users. ARGV: for how long it stays (ms), SADD or SREM, users. No set stays without end. */
const WRITE = `
redis.call(ARGV[2], KEYS[1], unpack(ARGV, 3))
return redis.call('PEXPIRE', KEYS[1], ARGV[1])`;

const Flags = z.array(z.union([z.literal(0), z.literal(1)]));

type Commands = Pick<Redis, 'command' | 'isUp'>;

export interface RedisPresenceOptions {
  readonly redis: Commands;
  readonly timers: Timers;
  /** Names this process among others, as for announcements. */
  readonly edgeId: string;
  /** Default {@link GONE_MS}; signs of life come three times as often. */
  readonly goneMs?: number;
}

/**
 * Who is online, in Redis: `chat:presence` is the set of edges, `chat:presence:<edge>` the set of one edge's users, which
 * expires unless the edge gives a sign of life. So an edge that dies is gone within 65 s, by Redis' clock.
 *
 * One pass at a time writes, at most every 250 ms. Modes, of what it writes next:
 * - `nothing`: nobody was ever here.
 * - `changes`: who came and left since the last pass, and a sign of life when it is due.
 * - `everything`: after a fault, or when Redis has another number of users than are here (it was emptied, or another server
 *   took over). A new set is built beside the old one and takes its place at the end. Changes wait meanwhile.
 * - `stopped`: final.
 *
 * Invariants: `#here` are the users with a socket here, and bounds all else; when a pass in `changes` has ended well, Redis
 * holds them without `#changes`. Nothing of it is waited for, except the end.
 */
export class RedisPresence implements SharedPresence {
  readonly #redis: Commands;
  readonly #timers: Timers;
  readonly #edgeId: string;
  readonly #goneMs: number;
  readonly #beatMs: number;
  readonly #here = new Set<string>();
  #changes = new Map<string, boolean>();
  #mode: 'nothing' | 'changes' | 'everything' | 'stopped' = 'nothing';
  #pass: Promise<void> | null = null;
  #cancelPass: (() => void) | null = null;
  #cancelBeat: (() => void) | null = null;
  readonly lookups: Lookups = { hit: 0, miss: 0, error: 0 };

  constructor(options: RedisPresenceOptions) {
    this.#redis = options.redis;
    this.#timers = options.timers;
    this.#edgeId = options.edgeId;
    this.#goneMs = options.goneMs ?? GONE_MS;
    this.#beatMs = Math.min(BEAT_MS, this.#goneMs / 3);
  }

  came(userId: string): void {
    if (this.#mode === 'stopped') return;
    this.#here.add(userId);
    this.#changed(userId, true);
  }

  left(userId: string): void {
    if (this.#mode === 'stopped') return;
    this.#here.delete(userId);
    this.#changed(userId, false);
  }

  async online(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const online = new Set<string>();
    try {
      const question = ['EVAL', ONLINE, '1', EDGES_KEY, this.#edgeId, ...userIds];
      const flags = Flags.parse(await this.#redis.command(question, ONLINE_MS_MAX));
      for (const [at, userId] of userIds.entries()) if (flags[at] === 1) online.add(userId);
      this.lookups.hit += online.size;
      this.lookups.miss += userIds.length - online.size;
    } catch {
      this.lookups.error += userIds.length;
    }
    return online;
  }

  /** Takes this edge out, unless Redis is away: then it expires. */
  async stop(): Promise<void> {
    if (this.#mode === 'stopped') return;
    const wrote = this.#mode !== 'nothing';
    this.#mode = 'stopped';
    this.#cancelPass?.();
    this.#cancelBeat?.();
    await this.#pass;
    if (!wrote) return;
    await Promise.allSettled([
      this.#redis.command(['DEL', this.#usersKey, this.#nextKey]),
      this.#redis.command(['SREM', EDGES_KEY, this.#edgeId]),
    ]);
  }

  get #usersKey(): string {
    return `${EDGES_KEY}:${this.#edgeId}`;
  }

  /** In which the set of everybody is built. */
  get #nextKey(): string {
    return `${this.#usersKey}:next`;
  }

  #changed(userId: string, here: boolean): void {
    // There and back again is nothing that Redis would have to know.
    if (!this.#changes.delete(userId)) this.#changes.set(userId, here);
    if (this.#mode === 'nothing') {
      this.#mode = 'changes';
      this.#beatLater();
    }
    this.#passLater();
  }

  #passLater(): void {
    if (this.#cancelPass !== null || this.#pass !== null || this.#mode === 'stopped') return;
    this.#cancelPass = this.#timers.after(CHANGES_MS, () => {
      this.#cancelPass = null;
      this.#runPass(() => this.#writeChanges());
    });
  }

  #beatLater(): void {
    const delayMs = jittered(this.#beatMs, BEAT_JITTER, Math.random);
    this.#cancelBeat = this.#timers.after(delayMs, () => {
      this.#beatLater();
      this.#runPass(() => this.#beat());
    });
  }

  /** A beat that finds a pass under way is left out: the pass is a sign of life as well. */
  #runPass(work: () => Promise<void>): void {
    if (this.#pass !== null) return;
    this.#pass = (this.#mode === 'everything' ? this.#writeEverything() : work())
      .catch(() => {
        // What is there is not known any more.
        if (this.#mode !== 'stopped') this.#mode = 'everything';
      })
      .finally(() => {
        this.#pass = null;
        if (this.#mode === 'everything' || this.#changes.size > 0) this.#passLater();
      });
  }

  async #writeChanges(): Promise<void> {
    const changes = [...this.#changes];
    this.#changes = new Map();
    const those = (wanted: boolean) => changes.filter(([, here]) => here === wanted).map(([user]) => user);
    await this.#write('SADD', this.#usersKey, those(true));
    await this.#write('SREM', this.#usersKey, those(false));
    await this.#beat();
  }

  async #writeEverything(): Promise<void> {
    if (!this.#redis.isUp) throw new Error('It must be up for that');
    // Those who come and go from now on are changes to what is built here.
    const everybody = [...this.#here];
    this.#changes = new Map();
    await this.#redis.command(['DEL', this.#nextKey]);
    await this.#write('SADD', this.#nextKey, everybody);
    if (everybody.length > 0) await this.#redis.command(['RENAME', this.#nextKey, this.#usersKey]);
    else await this.#redis.command(['DEL', this.#usersKey]);
    if (this.#mode === 'everything') this.#mode = 'changes';
    await this.#beat();
  }

  async #write(command: 'SADD' | 'SREM', usersKey: string, users: readonly string[]): Promise<void> {
    for (let from = 0; from < users.length && this.#mode !== 'stopped'; from += PART_USERS) {
      const part = users.slice(from, from + PART_USERS);
      await this.#redis.command(['EVAL', WRITE, '1', usersKey, String(this.#goneMs), command, ...part]);
    }
  }

  /** @throws when Redis has others than those who are here without the changes that are not written yet */
  async #beat(): Promise<void> {
    let expected = this.#here.size;
    for (const here of this.#changes.values()) expected -= here ? 1 : -1;
    const keys = ['2', EDGES_KEY, this.#usersKey];
    const users = await this.#redis.command(['EVAL', BEAT, ...keys, this.#edgeId, String(this.#goneMs)]);
    if (users !== expected) throw new Error(`Redis has ${users} users of ${expected}`);
  }
}
