import { expect, test } from 'vitest';
import { AdmissionControl } from '../../../../src/edge/gate/admission.ts';

function open(perSecondMax: number, connectionsMax = 1_000) {
  const clock = { ms: 0 };
  const control = new AdmissionControl({ perSecondMax, connectionsMax, nowMs: () => clock.ms });
  const admitted = (times: number) =>
    Array.from({ length: times }, () => control.admit(0)).filter((answer) => answer.admitted).length;
  return { clock, control, admitted };
}

test('a burst up to the rate, and then the rate', () => {
  const { clock, admitted } = open(100);
  expect(admitted(500)).toBe(100);
  clock.ms += 500;
  expect(admitted(500)).toBe(50);
  clock.ms += 60_000;
  expect(admitted(500)).toBe(100);
});

test('clients that are turned away may come back, each at another time', () => {
  const { control, admitted } = open(1);
  admitted(1);
  const times = Array.from({ length: 50 }, () => {
    const answer = control.admit(0);
    return answer.admitted ? 0 : answer.retryAfterMs;
  });
  expect(Math.min(...times)).toBeGreaterThan(0);
  expect(new Set(times).size).toBeGreaterThan(10);
});

test('no connection over the ceiling, and none while draining', () => {
  const { control } = open(100, 10);
  expect(control.admit(9).admitted).toBe(true);
  expect(control.admit(10).admitted).toBe(false);
  control.draining = true;
  expect(control.admit(0).admitted).toBe(false);
});

test('a clock that goes back gives nothing and takes nothing', () => {
  const { clock, admitted } = open(10);
  clock.ms = 1_000;
  expect(admitted(10)).toBe(10);
  clock.ms = 0;
  expect(admitted(10)).toBe(0);
});
