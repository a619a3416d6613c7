import { expect, test } from 'vitest';
import { type RunnerState, type RunnerTrigger, transition } from '../../../projections/runner/states.ts';

const STATES: RunnerState[] = ['idle', 'starting', 'catchingUp', 'live', 'backoff', 'halted', 'stopped'];
const TRIGGERS: RunnerTrigger[] = [
  'start',
  'opened',
  'caughtUp',
  'fellBehind',
  'fenced',
  'failed',
  'pauseOver',
  'unrecoverable',
  'stop',
];

/** Every transition that leads elsewhere; all others must change nothing. */
const LEADS: Record<string, RunnerState> = {
  'idle start': 'starting',
  'starting opened': 'catchingUp',
  'catchingUp caughtUp': 'live',
  'live fellBehind': 'catchingUp',
  'backoff pauseOver': 'starting',
  ...Object.fromEntries(
    ['starting', 'catchingUp', 'live'].flatMap((state) => [
      [`${state} fenced`, 'backoff'],
      [`${state} failed`, 'backoff'],
      [`${state} unrecoverable`, 'halted'],
    ]),
  ),
  ...Object.fromEntries(STATES.map((state) => [`${state} stop`, 'stopped'])),
};

test('each trigger leads where the specification says, and nowhere from where it means nothing', () => {
  for (const state of STATES) {
    for (const trigger of TRIGGERS) {
      expect(transition(state, trigger), `${state} ${trigger}`).toBe(LEADS[`${state} ${trigger}`] ?? state);
    }
  }
});

test('a halted runner is woken by nothing but a new start of the process', () => {
  const reachable = TRIGGERS.map((trigger) => transition('halted', trigger));
  expect(new Set(reachable)).toEqual(new Set(['halted', 'stopped']));
});
