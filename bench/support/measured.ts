import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** Those of package.json's start script: what is measured runs as users run it. */
const NODE_FLAGS = startFlags();

/** A server in a process of its own, whose processor time and memory are looked at from outside. */
export interface MeasuredServer {
  readonly port: number;
  /** Processor time of the process so far, in seconds. */
  cpuSeconds(): Promise<number>;
  /** Resident memory after a collection of garbage, in bytes. */
  rssBytes(): Promise<number>;
  /** The most resident memory that the process ever had, in bytes. */
  rssPeakBytes(): Promise<number>;
  /** What the server holds in JavaScript objects, after a collection of garbage, in bytes. */
  heapBytes(): Promise<number>;
  /** What the server counts of its own: connections, conversations followed. */
  held(): Promise<number>;
  /** Has the server do something of its own. */
  tell(message: object): void;
  stop(): Promise<void>;
}

/**
 * With `BENCH_PROFILE=<folder>` each server leaves a profile of its processor time there, named after its script.
 *
 * @param script next to the scenarios, as compiled; it calls {@link serveMeasured}
 * @param outputFile where what it writes goes, log lines too; default: where ours goes
 */
export async function startMeasured(
  script: URL,
  args: readonly string[] = [],
  outputFile?: string,
): Promise<MeasuredServer> {
  const output = outputFile === undefined ? 'inherit' : openSync(outputFile, 'a');
  const child = fork(script, args, {
    execArgv: [...NODE_FLAGS, '--expose-gc', ...profilerFlags(script)],
    stdio: ['ignore', output, output, 'ipc'],
  });
  if (typeof output === 'number') closeSync(output);
  const port = await portOf(child);
  return {
    port,
    cpuSeconds: () => ask(child, 'cpu?'),
    rssBytes: () => ask(child, 'rss?'),
    rssPeakBytes: () => ask(child, 'peak?'),
    heapBytes: () => ask(child, 'heap?'),
    held: () => ask(child, 'held?'),
    tell: (message) => void child.send(message),
    stop: async () => {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${child.spawnargs.at(1)} ended before it served`);
  });
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }];
  // It is waited for no longer.
  ended.catch(() => {});
  return port;
}

function profilerFlags(script: URL): string[] {
  const folder = process.env.BENCH_PROFILE;
  if (folder === undefined) return [];
  const name = `${basename(script.pathname, '.js')}-${Date.now()}.cpuprofile`;
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
}

async function ask(
  child: ChildProcess,
  question: 'cpu?' | 'rss?' | 'peak?' | 'heap?' | 'held?',
): Promise<number> {
  child.send(question);
  const [answer] = (await once(child, 'message')) as [number];
  return answer;
}

/** The server's side: tells the port, answers for its usage, ends with its parent. */
export function serveMeasured(
  port: number,
  onTold: (message: unknown) => void = () => {},
  held: () => number = () => 0,
): void {
  process.on('message', (message) => {
    if (message === 'cpu?') process.send?.(cpuSeconds());
    else if (message === 'rss?') process.send?.(collected().rss);
    // In kilobytes.
    else if (message === 'peak?') process.send?.(process.resourceUsage().maxRSS * 1_024);
    else if (message === 'heap?') process.send?.(collected().heapUsed);
    else if (message === 'held?') process.send?.(held());
    else onTold(message);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ port });
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function collected(): NodeJS.MemoryUsage {
  for (let times = 0; times < 3; times++) globalThis.gc?.();
  return process.memoryUsage();
}

function startFlags(): string[] {
  const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return manifest.scripts.start.match(/--\S+/g);
}
