import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { projectRootUrl } from '../../src/platform/embedded/projectRootUrl.ts';

/** What people have really said, in their order: the texts of the tests' sample of chat. */
export function corpusTexts(): string[] {
  const file = new URL('test/fixtures/chat/ubuntu-irc-sample.jsonl.gz', projectRootUrl());
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { text: string }).text).filter(isPostable);
}

function isPostable(text: string): boolean {
  return text !== '' && !text.includes('\0') && text.isWellFormed();
}
