import { z } from 'zod';
import { descriptions } from './settingDescription.ts';
import { settings } from './settings.ts';

/** The environment, read once: the only schema of it. Every value has its unit in its name. */
const ConfigSchema = z
  .object(settings)
  .superRefine((config, context) => {
    for (const { setting, reason } of contradictions(config)) {
      context.addIssue({ code: 'custom', path: [setting], message: reason });
    }
  })
  .readonly();

/** The typed, frozen settings of a process; described one by one in `settings.ts`. */
export type Config = z.infer<typeof ConfigSchema>;

/** Settings are wrong. The message has one line for each: what is wrong, what is allowed, an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings. An empty variable counts as unset, an unknown one is none of our business.
 *
 * @throws ConfigError naming every wrong setting
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const texts = Object.entries(settings).map(([name, schema]) => {
    const value = env[descriptions.get(schema)?.variable ?? ''];
    return [name, value === '' ? undefined : value] as const;
  });
  const parsed = ConfigSchema.safeParse(Object.fromEntries(texts));
  if (parsed.success) return parsed.data;
  const wrong = new Map(parsed.error.issues.map((issue) => [String(issue.path[0]), issue]));
  const lines = [...wrong].map(([name, issue]) => complaint(name, issue, new Map(texts).get(name)));
  throw new ConfigError(lines.join('\n'));
}

function complaint(name: string, issue: z.core.$ZodIssue, value: string | undefined): string {
  const schema = Object.entries(settings).find(([key]) => key === name)?.[1];
  const about = schema && descriptions.get(schema);
  if (about === undefined) return issue.message;
  const { variable, allowed, example, secret } = about;
  const reason = issue.code === 'custom' ? issue.message : secret ? 'is malformed' : `is ${quote(value)}`;
  return `${variable} ${reason}. Allowed: ${allowed}. Example: ${variable}=${example}`;
}

/** On one line, whatever it holds, and not longer than helps. */
function quote(value: string | undefined): string {
  const text = JSON.stringify(value ?? '');
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

interface Contradiction {
  readonly setting: keyof typeof settings;
  readonly reason: string;
}

/** Settings that are right one by one and wrong together. */
function* contradictions(config: z.infer<z.ZodObject<typeof settings>>): Generator<Contradiction> {
  const { port, edgePort, publishAckTimeoutMs, publishDeadlineMs, streamReplicas, natsUrl } = config;
  if (port !== 0 && port === edgePort) {
    yield { setting: 'edgePort', reason: `is ${edgePort}, the same as PORT` };
  }
  if (publishAckTimeoutMs > publishDeadlineMs) {
    const reason = `is ${publishAckTimeoutMs}, more than PUBLISH_DEADLINE_MS (${publishDeadlineMs})`;
    yield { setting: 'publishAckTimeoutMs', reason };
  }
  if (streamReplicas > 1 && natsUrl === undefined) {
    const reason = `is ${streamReplicas}, but the embedded nats-server is alone: set NATS_URL to a cluster, or 1`;
    yield { setting: 'streamReplicas', reason };
  }
}
