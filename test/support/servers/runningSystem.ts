import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RunFile, readRunFile } from '../../../src/platform/embedded/runFile.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { waitFor } from '../time/waitFor.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The real thing: api, edge, projector and both servers, started the way `npm start` does. */
export interface RunningSystem {
  readonly dataDir: string;
  /** `http://localhost:<port>`; changes with a restart. */
  readonly apiUrl: string;
  /** `ws://localhost:<port>` */
  readonly edgeUrl: string;
  readonly app: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  run(): RunFile;
  /** Runs the `chat-backend` command against it. */
  cli(...args: string[]): Promise<CliResult>;
  /** The same under other settings. */
  cliWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<CliResult>;
  /** Ends the app as Ctrl-C does. @returns its exit code */
  stop(): Promise<number | null>;
  /** Starts the app again on the same data, after it was stopped or killed. */
  start(): Promise<void>;
  /** Ends everything and removes the data. */
  remove(): Promise<void>;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param env further settings; the ports are free ones and the data folder is a new one unless said otherwise */
export async function startRunningSystem(env: NodeJS.ProcessEnv = {}): Promise<RunningSystem> {
  const dataDir = env.CHAT_DATA_DIR ?? makeTempFolder('system');
  const settings = {
    ...process.env,
    CHAT_DATA_DIR: dataDir,
    PORT: '0',
    EDGE_PORT: '0',
    LOG_LEVEL: 'warn',
    ...env,
  };
  let app = launch(settings);
  let urls = await ready(app);
  const stop = () => {
    app.child.kill('SIGINT');
    return exitCode(app.child);
  };
  return {
    dataDir,
    get apiUrl() {
      return urls.apiUrl;
    },
    get edgeUrl() {
      return urls.edgeUrl;
    },
    get app() {
      return app.child;
    },
    output: () => app.output(),
    run: () => runFile(dataDir),
    cli: (...args) => cli(args, settings),
    cliWith: (other, ...args) => cli(args, { ...settings, ...other }),
    stop,
    start: async () => {
      app = launch(settings);
      urls = await ready(app);
    },
    remove: async () => {
      await stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits until log and read model are proven to agree. @returns what `verify` printed */
export async function verified(system: Pick<RunningSystem, 'cli'>): Promise<string> {
  const agreed = async () => {
    const result = await system.cli('verify');
    return result.exitCode === 0 && result.stdout;
  };
  return waitFor('the read model to catch up', agreed);
}

interface Launched {
  readonly child: ChildProcess;
  output(): string;
}

/** Starts a script of the project as a process; what it prints is kept. */
export function launch(
  env: NodeJS.ProcessEnv,
  script = 'src/setup/start.mjs',
  args: string[] = [],
): Launched {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  return { child, output: () => output };
}

/** @returns null when a signal ended it */
export async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function ready(app: Launched): Promise<{ apiUrl: string; edgeUrl: string }> {
  const urls = await waitFor(
    'the system to say where it is',
    () => {
      if (app.child.exitCode !== null) throw new Error(`It ended: ${app.output()}`);
      const apiUrl = /HTTP API +(http:\/\/\S+)/.exec(app.output())?.[1];
      const edgeUrl = /WebSocket +(ws:\/\/[^/\s]+)/.exec(app.output())?.[1];
      return apiUrl !== undefined && edgeUrl !== undefined && { apiUrl, edgeUrl };
    },
    { timeoutMs: 300_000 },
  );
  return urls;
}

function runFile(dataDir: string): RunFile {
  const run = readRunFile(dataDir);
  if (run === null) throw new Error(`There is no run.json in ${dataDir}`);
  return run;
}

async function cli(args: string[], env: NodeJS.ProcessEnv): Promise<CliResult> {
  const child = spawn(process.execPath, ['src/cli/chat-backend.mjs', ...args], { cwd: root, env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  await once(child, 'close');
  return { exitCode: child.exitCode, stdout: stdout.trim(), stderr: stderr.trim() };
}
