import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/** What a person at the terminal must know and do; printed without a stack. */
export class SetUpError extends Error {
  name = 'SetUpError';
}

const outputTailChars = 4_000;

/**
 * Does one step of the set-up and prints one line about it.
 *
 * @template T
 * @param {{ quiet?: boolean }} options
 * @param {string} title What is being done, as in "installing dependencies"
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step({ quiet = false }, title, work) {
  const startedMs = performance.now();
  if (!quiet) process.stdout.write(`… ${title}`);
  try {
    const result = await work();
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    if (!quiet) process.stdout.write(`${lineStart()}✓ ${title} (${seconds} s)\n`);
    return result;
  } catch (error) {
    if (!quiet) process.stdout.write(`${lineStart()}✗ ${title}\n`);
    throw error;
  }
}

/** Overwrites the line on a terminal; a log file gets a line of its own. */
function lineStart() {
  return process.stdout.isTTY ? '\r\x1b[K' : '\n';
}

/**
 * Runs a program quietly. Rejects with a SetUpError that holds the end of its output.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options] Default time limit: 10 minutes
 * @returns {Promise<string>} what it printed
 */
export function run(command, args, { cwd, env = process.env, timeoutMs = 600_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Not spawn's own time limit, whose timer lives on and keeps this process alive when the program does not exist.
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let output = '';
    const keep = (/** @type {Buffer} */ bytes) => {
      output = (output + bytes.toString()).slice(-outputTailChars);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new SetUpError(`${command} cannot be run: ${error.message}`));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(output);
      const reason = signal ?? `code ${code}`;
      reject(new SetUpError(`"${[command, ...args].join(' ')}" ended with ${reason}:\n${output.trim()}`));
    });
  });
}
