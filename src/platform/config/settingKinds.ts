import { z } from 'zod';
import { parseDatabaseUrl } from '../postgres/databaseUrl.ts';

/** A sort of setting: how its text is read, and what is allowed, for messages and documentation. */
export interface SettingKind<T> {
  readonly schema: z.ZodType<T, string>;
  readonly allowed: string;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, K: 1_024, M: 1_024 ** 2, G: 1_024 ** 3 };
const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/;
const REDIS_URL = /^rediss?:\/\/([^\s@/]*@)?[^\s@/]+(\/\d{1,5})?$/;
const BROKER_URL = /^(nats|tls):\/\/[^\s,/]+$/;

export function wholeNumber(min: number, max: number): SettingKind<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(min).max(max));
  return { schema, allowed: `a whole number from ${min} to ${max}` };
}

/** Bytes, plain or with a unit. As nats-server reads them, KB, MB and GB are powers of 1,024. */
export function byteSize(min: number): SettingKind<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}([KMG]B)?$/)
    .transform((text) => Number.parseInt(text, 10) * (SIZE_UNITS[text.replace(/^\d+|B$/g, '')] ?? 1))
    .pipe(z.number().min(min).max(Number.MAX_SAFE_INTEGER));
  return { schema, allowed: `bytes, or a whole number followed by KB, MB or GB; at least ${min} bytes` };
}

/** A time such as `30s`, in milliseconds, or `always`. */
export function durationOrAlways(): SettingKind<number | 'always'> {
  const duration = z
    .string()
    .regex(/^[1-9]\d{0,5}(ms|s|m|h)$/)
    .transform((text) => Number.parseInt(text, 10) * (DURATION_UNITS_MS[text.replace(/^\d+/, '')] ?? 1));
  const allowed = '"always", or a whole number followed by ms, s, m or h';
  return { schema: z.union([z.literal('always'), duration]), allowed };
}

export function oneOf<const T extends string>(values: readonly T[]): SettingKind<T> {
  return { schema: z.string().pipe(z.enum(values)), allowed: `one of ${values.join(', ')}` };
}

/** A comma-separated choice, in the order of `values` whatever was written first; `all` stands for every one. */
export function someOf<const T extends string>(values: readonly T[]): SettingKind<readonly T[]> {
  const known: readonly string[] = ['all', ...values];
  const schema = z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.enum(known)))
    .transform((parts) => values.filter((value) => parts.includes('all') || parts.includes(value)))
    .readonly();
  return { schema, allowed: `all, or a comma-separated list of ${values.join(', ')}` };
}

/** Text without white space at its ends. */
export function text(allowed: string, pattern: RegExp): SettingKind<string> {
  return { schema: z.string().trim().regex(pattern), allowed };
}

/** Origins of web pages as browsers name them, or `*` for all; white space around the commas goes. */
export function origins(): SettingKind<'*' | readonly string[]> {
  const list = z
    .string()
    .transform((text) => text.split(',').map((origin) => origin.trim().toLowerCase()))
    .pipe(z.array(z.string().regex(ORIGIN).refine(isOrigin)))
    .readonly();
  const schema = z.union([z.literal('*'), list]);
  return { schema, allowed: '"*", or origins (scheme://host, :port if it has one) separated by commas' };
}

/** Schemes of the web leave their usual port out; those of apps are taken as they are. */
function isOrigin(origin: string): boolean {
  return !/^https?:/.test(origin) || (URL.canParse(origin) && new URL(origin).origin === origin);
}

/** One or several URLs of nats-servers; white space around the commas goes. */
export function brokerUrls(): SettingKind<string> {
  const schema = z
    .string()
    .transform((list) => list.split(',').map((url) => url.trim()))
    .pipe(z.array(z.string().regex(BROKER_URL)))
    .transform((urls) => urls.join(','));
  return { schema, allowed: 'nats:// or tls:// URLs without a path, separated by commas' };
}

/** A URL of a Postgres database, kept as it is: the pool takes it apart. */
export function databaseUrl(): SettingKind<string> {
  const schema = z.string().superRefine((url, context) => {
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace('DATABASE_URL ', '') : String(error);
      context.addIssue({ code: 'custom', message: reason });
    }
  });
  return { schema, allowed: 'a postgres:// or postgresql:// URL' };
}

/** The URL of one Redis; a password with special characters is percent-encoded. */
export function redisUrl(): SettingKind<string> {
  const schema = z.string().regex(REDIS_URL).refine(URL.canParse);
  return {
    schema,
    allowed: 'a redis:// or rediss:// URL, at its end / and the number of a database if need be',
  };
}

/** JetStream takes other counts too, but an even one only costs: it survives no more failures than one less. */
export function replicas(): SettingKind<number> {
  return { schema: oneOf(['1', '3']).schema.transform(Number), allowed: '1 or 3' };
}
