import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChatHttp } from '../../../client/src/chatHttp.ts';
import { systemClock } from '../../../client/src/clock.ts';
import { type ChatClientOptions, settingsOf } from '../../../client/src/options.ts';

const base = { url: 'ws://edge', userId: 'alice' };
const source = readFileSync(new URL('../../../client/src/options.ts', import.meta.url), 'utf8');
const settings = settingsOf(base);
const numbers = Object.entries(settings).flatMap(([name, value]) =>
  typeof value === 'number' ? [name] : [],
);

describe('options that are numbers', () => {
  it.each(numbers)('%s has bounds and says them', (name) => {
    const set = (value: number) => settingsOf({ ...base, [name]: value } as ChatClientOptions);
    for (const wrong of [0, -1, 1e12, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => set(wrong)).toThrow(/must be a number from 1 to \d+/);
    }
    expect(set(1)).toMatchObject({ [name]: 1 });
    const [comment = ''] =
      new RegExp(`/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\s+readonly ${name}\\?`).exec(source) ?? [];
    expect(comment.replaceAll(/\s+\* /g, ' ')).toMatch(/Default [\d,]+\..* At most ([\d,]+|a day|30 days)\./);
  });

  it('let a dead network be noticed within fifteen seconds', () => {
    expect(settings.pingIntervalMs + settings.pongTimeoutMs).toBeLessThan(15_000);
  });

  it('of HTTP are bounded as well', () => {
    for (const name of ['timeoutMs', 'uploadTimeoutMs']) {
      for (const wrong of [0, 1e12]) {
        expect(() => new ChatHttp({ url: 'http://api', userId: 'alice', [name]: wrong })).toThrow(name);
      }
    }
  });
});

describe('the clock of the runtime', () => {
  afterEach(() => void vi.useRealTimers());

  it('waits longer than timers can, and fires once', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const days = 86_400_000;
    let fired = 0;
    const count = () => {
      fired += 1;
    };
    systemClock.after(30 * days, count);
    const cancel = systemClock.after(30 * days, count);
    vi.advanceTimersByTime(29 * days);
    expect(fired).toBe(0);
    cancel();
    vi.advanceTimersByTime(days);
    expect(fired).toBe(1);
    vi.advanceTimersByTime(60 * days);
    expect(fired).toBe(1);
  });
});
