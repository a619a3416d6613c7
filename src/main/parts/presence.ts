import type { NatsConnection } from 'nats';
import { Presence } from '../../application/presence/presence.ts';
import { signalFaultLog } from '../../observability/subscribers/signals.ts';
import { NatsSignals } from '../../platform/signals/natsSignals.ts';
import { systemClock } from '../../platform/time/clock.ts';
import { systemTimers } from '../../platform/time/timers.ts';
import type { Signals } from '../../ports/signals.ts';
import type { Base } from '../base.ts';
import type { SharedCaches } from './sharedCaches.ts';

/** Typing and presence between processes, and who is online anywhere. */
export interface PresencePart {
  readonly signals: Signals;
  readonly presence: Presence;
}

/** Stops after the roles, so that no user is announced as gone who is still connected. */
export function openPresence(
  { config, logger, stops }: Base,
  parts: {
    readonly connection: NatsConnection;
    readonly edgeId: string;
    readonly sharedCaches: SharedCaches | null;
  },
): PresencePart {
  const started: { presence?: Presence } = {};
  const signals = new NatsSignals(parts.connection, {
    onFault: signalFaultLog(logger, systemClock.nowMs),
    onReconnect: () => started.presence?.refresh(),
  });
  stops.add(() => signals.close());
  const { edgeId, sharedCaches } = parts;
  const shared = sharedCaches?.presence;
  const { presenceGraceMs: graceMs } = config;
  const time = { clock: systemClock, timers: systemTimers };
  const presence = new Presence({ signals, ...time, edgeId, shared, graceMs });
  started.presence = presence;
  stops.add(() => presence.stop());
  return { signals, presence };
}
