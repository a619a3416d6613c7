import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { flushBelow } from './flush.mjs';
import { binFolder } from './paths.mjs';

/**
 * A way to get a program that this machine does not have yet.
 *
 * @typedef {object} Way
 * @property {string} name
 * @property {string} about What a person could do
 * @property {() => Promise<void>} get Puts the program at its place
 */

/**
 * Tries every way in turn.
 *
 * @param {string} target Where the program must be then
 * @param {Way[]} ways
 * @returns {Promise<string[]>} why none of them worked; empty when one did
 */
export async function obtain(target, ways) {
  mkdirSync(binFolder, { recursive: true });
  // What a power cut left there is no program.
  rmSync(target, { force: true });
  /** @type {string[]} */
  const failures = [];
  for (const { name, get } of ways) {
    try {
      await get();
      if (existsSync(target)) {
        flushBelow(binFolder);
        return [];
      }
      failures.push(`${name}: ended without the program`);
    } catch (error) {
      failures.push(`${name}: ${firstLine(error)}`);
    }
  }
  return failures;
}

/**
 * The message for the terminal when nothing worked.
 *
 * @param {string} lead
 * @param {string[]} helps Each of which would help
 * @param {string[]} failures What was tried, and why it did not work
 */
export function missingMessage(lead, helps, failures) {
  const tried = failures.map((failure) => `  tried ${failure}`).join('\n');
  return `${lead} Any one of these helps:\n${helps.map((help) => `  - ${help}`).join('\n')}\n${tried}`;
}

/** @param {unknown} error */
function firstLine(error) {
  const lines = (error instanceof Error ? error.message : String(error)).split('\n').filter(Boolean);
  return lines.length > 1 ? `${lines[0]} ${lines.at(-1)}` : (lines[0] ?? 'unknown reason');
}
