import { expect, test } from 'vitest';
import { type RunnerState, type RunnerTrigger, transition } from '../../../../projections/runner/states.ts';

const STATES: RunnerState[] = [
  'idle',
  'starting',
  'standby',
  'paused',
  'catchingUp',
  'live',
  'backoff',
  'halted',
  'stopped',
];
const TRIGGERS: RunnerTrigger[] = [
  'start',
  'opened',
  'caughtUp',
  'fellBehind',
  'unassigned',
  'pausedByOperator',
  'reassigned',
  'fenced',
  'failed',
  'unrecoverable',
  'pauseOver',
  'resumedByOperator',
  'stop',
];

/** Every transition that leads elsewhere; all others must change nothing. */
const LEADS: Record<string, RunnerState> = {
  'idle start': 'starting',
  'starting opened': 'catchingUp',
  'starting unassigned': 'standby',
  'starting pausedByOperator': 'paused',
  'catchingUp caughtUp': 'live',
  'catchingUp reassigned': 'starting',
  'live fellBehind': 'catchingUp',
  'live reassigned': 'starting',
  'standby pauseOver': 'starting',
  'paused pauseOver': 'starting',
  'backoff pauseOver': 'starting',
  'halted resumedByOperator': 'starting',
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

test('a halted runner is woken by nothing but an operator', () => {
  const waking = TRIGGERS.filter((trigger) => transition('halted', trigger) !== 'halted');
  expect(waking).toEqual(['resumedByOperator', 'stop']);
});
