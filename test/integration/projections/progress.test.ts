import { connect } from 'nats';
import { describe, expect, it } from 'vitest';
import { checkpointSubject, groupOf } from '../../../src/contracts/events/subjects.ts';
import { announceProgress, listenForProgress } from '../../../src/platform/nats/projectionProgress.ts';
import { startTestNats } from '../../support/servers/nats.ts';

const conversationId = 'c_aaaaaaaaaaaaaaaaaaaaa';

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
    projector.publish(subject, '{"seq":5}');
    const waiting = progress.waitFor(conversationId, 6, 45_000);
    announceProgress(projector, 'history', { group: groupOf(conversationId), seq: 6, parked: [] });
    expect(await waiting).toBe('reached');
    stop();
    await Promise.all([reader.close(), projector.close()]);
    await nats.stop();
  });
});
