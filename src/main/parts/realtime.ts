import { type Realtime, type RealtimeOptions, startRealtime } from '../../edge/realtime.ts';
import type { Base } from '../base.ts';

/** What the realtime side stands on. */
export type RealtimeParts = Pick<
  RealtimeOptions,
  'application' | 'signals' | 'presence' | 'readMarks' | 'historyProgress'
>;

/**
 * The tail of the log: keeps cached conversations fresh, and feeds the clients that are connected to this process.
 *
 * @param tuning what no setting says; production leaves it out
 */
export async function openRealtime(
  { config, lifecycle, stops }: Base,
  { application, signals, presence, readMarks, historyProgress }: RealtimeParts,
  tuning: Pick<RealtimeOptions, 'watchEveryMs'> = {},
): Promise<Realtime> {
  const realtime = await startRealtime({
    application,
    signals,
    presence,
    readMarks,
    historyProgress,
    joinsPerSocketMax: config.joinsPerSocketMax,
    recentEventsMax: config.recentEventsMax,
    recentBytesMax: config.recentBytesMax,
    onEvent: lifecycle.edge,
    onFault: lifecycle.fault('edge'),
    ...tuning,
  });
  stops.add(() => realtime.stop());
  lifecycle.watch.liveFeed(realtime.feed);
  return realtime;
}
