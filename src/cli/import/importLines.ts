import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import { AttachmentIds, CONTENT_LENGTH_MAX, Title, UserId, Words } from '../../contracts/ids.ts';
import { isTimeInRange, TIME_RANGE } from '../../contracts/times.ts';
import { LINE_BYTES_MAX, type RawLine, readRawLines } from './rawLines.ts';

const Time = z.iso
  .datetime({ offset: true, error: 'must be a time of ISO 8601, such as 2026-01-31T12:00:00Z' })
  .refine((text) => isTimeInRange(Date.parse(text)), TIME_RANGE);

const LineObject = z.object({
  room: Title,
  at: Time,
  user: z.string(),
  text: z.string().default(''),
  attachments: AttachmentIds.default([]),
});

/** One message to be imported. */
export interface ImportLine {
  /** The conversation, by any name. */
  readonly room: string;
  /** ISO 8601, as it is in the file: any zone. */
  readonly at: string;
  readonly user: string;
  /** Empty only when there are attachments. */
  readonly text: string;
  /** Ids of uploads. */
  readonly attachments: readonly string[];
}

/** How lines are read beyond the format. */
export interface ReadingRules {
  /** A text that is too long becomes several messages. Default: it is a fault. */
  readonly splitLong?: boolean;
  /** Format characters (bidi controls, joiners) are taken out of names. Default: they are a fault. */
  readonly cleanNames?: boolean;
}

/** What a line came to: messages, none when it is empty; or why it cannot be imported. */
export type ReadLine = { readonly raw: RawLine } & LineContents;

type LineContents =
  | { readonly messages: readonly ImportLine[]; readonly isNameCleaned: boolean }
  | { readonly fault: string };

/** The format, for those who got it wrong. */
export const FORMAT_HINT =
  'Wanted: one JSON object a line, in UTF-8: ' +
  '{"room":"general","at":"2026-01-31T12:00:00Z","user":"alice","text":"hello"}';

/** Every line of a file, good or not. @throws ImportFileError when the file cannot be read */
export async function* readImportLines(
  file: string,
  rules: ReadingRules = {},
): AsyncGenerator<ReadLine, void, undefined> {
  for await (const raw of readRawLines(file)) yield { raw, ...readLine(raw, rules) };
}

function readLine(raw: RawLine, rules: ReadingRules): LineContents {
  if (raw.isTooLong) return { fault: `the line has more than ${LINE_BYTES_MAX} bytes` };
  if (!isUtf8(raw.bytes)) return { fault: 'the line is not UTF-8' };
  const text = raw.bytes.toString('utf8');
  if (text.trim() === '') return { messages: [], isNameCleaned: false };
  const value = parseJson(text);
  if (value === undefined) return { fault: 'the line is not JSON' };
  const parsed = LineObject.safeParse(value);
  if (!parsed.success) return { fault: faultOf(parsed.error, []) };
  return messagesOf(parsed.data, rules);
}

function messagesOf(line: ImportLine, { splitLong = false, cleanNames = false }: ReadingRules): LineContents {
  const name = cleanNames ? line.user.replace(/\p{Cf}/gu, '').trim() : line.user;
  const user = UserId.safeParse(name);
  if (!user.success) return { fault: faultOf(user.error, ['user']) };
  const texts = splitLong ? split(line.text) : [line.text];
  const messages: ImportLine[] = [];
  if (line.text === '' && line.attachments.length === 0)
    return { fault: 'text: must not be empty in a line without attachments' };
  for (const [n, part] of texts.entries()) {
    const text = Words.safeParse(part);
    if (!text.success) return { fault: faultOf(text.error, ['text']) };
    const attachments = n === 0 ? line.attachments : [];
    messages.push({ room: line.room, at: line.at, user: user.data, text: text.data, attachments });
  }
  return { messages, isNameCleaned: name !== line.user };
}

/** Parts of a text that are not too long each, cut after a blank where there is one near the end. */
function split(text: string): string[] {
  if (text.length <= CONTENT_LENGTH_MAX) return [text];
  const characters = Array.from(text);
  const parts: string[] = [];
  for (let from = 0; from < characters.length; ) {
    const whole = characters.slice(from, from + CONTENT_LENGTH_MAX);
    const isLast = from + whole.length === characters.length;
    const blank = whole.findLastIndex((character) => /\s/.test(character));
    const length = isLast || blank < CONTENT_LENGTH_MAX / 2 ? whole.length : blank + 1;
    parts.push(whole.slice(0, length).join(''));
    from += length;
  }
  return parts;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function faultOf(error: z.ZodError, path: readonly string[]): string {
  const [issue] = error.issues;
  const where = [...path, ...(issue?.path ?? [])].join('.') || 'the line';
  return `${where}: ${issue?.message ?? 'is not as it should be'}`;
}
