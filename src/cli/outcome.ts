/** How a command ends. Scripts rely on these: they are in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** What was to be checked is not as it should be: differences, conversations that still wait. */
  checkFailed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is no such thing, or no running system. */
  notFound: 3,
  /** It could not be done. */
  failed: 4,
} as const;

/** What a command has to say, for people and for programs, and its exit code. */
export interface Outcome {
  readonly text: string;
  /** The same as an object, for `--json`. */
  readonly json: unknown;
  readonly exitCode: number;
}

export function ok(text: string, json: unknown): Outcome {
  return { text, json, exitCode: EXIT.ok };
}

/** What was named is not there. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}
