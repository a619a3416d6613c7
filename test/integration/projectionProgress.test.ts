import { connect } from 'nats';
import { describe, expect, it } from 'vitest';
import { checkpointSubject } from '../../src/contracts/subjects.ts';
import { listenForProgress } from '../../src/platform/projectionProgress.ts';
import { startTestNats } from '../support/nats.ts';
import { waitFor } from '../support/waitFor.ts';

describe('progress over NATS', () => {
  it('arrives from another connection, and what is no announcement is passed over', async () => {
    const nats = await startTestNats();
    const [reader, projector] = await Promise.all([
      connect({ servers: nats.url }),
      connect({ servers: nats.url }),
    ]);
    const { progress, stop } = listenForProgress(reader, 'history');
    await reader.flush();
    const subject = checkpointSubject('history');
    projector.publish(subject, 'no JSON');
    projector.publish(subject, '{"seq":"7"}');
    projector.publish(subject, '{"seq":5}');
    await waitFor('the announcement', () => progress.checkpoint() === 5);
    const waiting = progress.waitFor(6, 5_000);
    projector.publish(subject, '{"seq":6}');
    expect(await waiting).toBe(true);
    stop();
    await Promise.all([reader.close(), projector.close()]);
    await nats.stop();
  });
});
