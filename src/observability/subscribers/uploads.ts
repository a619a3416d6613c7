import type { Logger } from 'pino';
import type { UploadEvent } from '../../http/uploads/uploadEvents.ts';
import type { SweepEvent } from '../../maintenance/uploads/uploadSweeper.ts';
import { METRICS } from '../catalogue.ts';
import type { Metrics } from '../metrics.ts';

/** How full the store of uploads is. */
export interface UploadUsage {
  readonly bytes: number;
  readonly bytesMax: number;
}

/** Log lines and metrics of uploads, and of the sweeper that removes abandoned ones. */
export function uploadSubscriber(logger: Logger, metrics: Metrics) {
  const uploads = metrics.counter(METRICS.uploadsTotal);
  const onUpload = (event: UploadEvent): void => {
    const { outcome, reason } = event;
    uploads.inc({ outcome, reason });
    const fields = { component: 'uploads', ...event };
    if (outcome === 'stored') logger.info(fields, 'upload stored');
    else logger.warn(fields, 'upload %s', outcome);
  };
  return {
    onUpload,
    onSweep: (event: SweepEvent) => logSweep(logger, event),
    watchUploads: (usage: () => Promise<UploadUsage>): void => watchUsage(metrics, usage),
  };
}

function logSweep(logger: Logger, event: SweepEvent): void {
  const fields = { component: 'uploads' };
  if (event.type === 'sweepFailed')
    return logger.error({ ...fields, err: event.error }, 'sweeping uploads failed');
  if (event.abandoned + event.leftovers + event.undecided > 0)
    logger.info({ ...fields, ...event }, 'uploads swept');
}

/** While the store does not answer, the gauges keep their last values. */
function watchUsage(metrics: Metrics, usage: () => Promise<UploadUsage>): void {
  const taken = metrics.gauge(METRICS.uploadsBytes);
  const limit = metrics.gauge(METRICS.uploadsBytesLimit);
  const show = ({ bytes, bytesMax }: UploadUsage) => {
    taken.set(bytes);
    limit.set(bytesMax);
  };
  metrics.refreshWith(() => usage().then(show, () => {}));
}
