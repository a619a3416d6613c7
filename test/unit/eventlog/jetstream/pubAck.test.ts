import type { Msg } from 'nats';
import { expect, it } from 'vitest';
import { judgeAck } from '../../../../src/eventlog/jetstream/pubAck.ts';
import { LogFullError } from '../../../../src/ports/eventLog.ts';

const judge = (text: string) =>
  judgeAck({ data: Buffer.from(text), string: () => text, headers: undefined } as unknown as Msg);

it.each([
  ['{"stream":"CHAT_EVENTS","seq":1}', 1, false],
  ['{"stream":"CHAT_EVENTS", "seq":9007199254740991}', 9_007_199_254_740_991, false],
  ['{"stream":"CHAT_EVENTS","domain":"hub","seq":120}', 120, false],
  ['{"stream":"CHAT_EVENTS","seq":120,"duplicate":true}', 120, true],
  ['{"stream":"CHAT_EVENTS","seq":120,"duplicate": true}', 120, true],
  ['{"stream":"CHAT_EVENTS","seq":120,"domain":"hub"}', 120, false],
])('%s says stored', (text, seq, duplicate) => {
  expect(judge(text)).toEqual({ kind: 'stored', seq, duplicate });
});

const failure = (code: number, rest = '') =>
  `{"error":{"code":400,"err_code":${code},"description":"wrong last sequence: 5"}${rest}}`;

const refusal = (code: number, description: string) =>
  judge(`{"error":{"code":503,"err_code":${code},"description":"${description}"}}`);

it.each([
  [10077, 'maximum bytes exceeded', /STREAM_MAX_BYTES: raise it/],
  [10077, 'write /data/1.blk: no space left on device', /disk of nats-server.*make room there/],
  [10023, 'insufficient resources', /max_file_store.*make room there/],
  [10047, 'insufficient storage resources available', /max_file_store.*make room there/],
  [10002, 'resource limits exceeded for account', /account is used up: raise its limit/],
])('%d (%s) says what is full and what makes room', (code, description, words) => {
  expect(refusal(code, description)).toMatchObject({
    kind: 'refused',
    error: expect.objectContaining({ message: expect.stringMatching(words) }),
  });
  expect(refusal(code, description)).toHaveProperty('error', expect.any(LogFullError));
});

it.each([
  [failure(10071), 'conflict'],
  [failure(10071, ',"stream":"CHAT_EVENTS","seq":7'), 'conflict'],
  [failure(10164, ',"stream":"CHAT_EVENTS","seq":0'), 'conflict'],
  [failure(10008), 'notNow'],
  [failure(10054), 'refused'],
  [failure(10077, ',"stream":"CHAT_EVENTS","seq":0'), 'refused'],
  ['', 'notNow'],
])('%s says that nothing was stored: %s', (text, kind) => {
  expect(judge(text).kind).toBe(kind);
});
