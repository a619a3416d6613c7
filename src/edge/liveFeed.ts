import type { ApplicationContext } from '../application/context.ts';
import { compareLog, type KnownLog, knownFrom, renewalFor } from '../platform/log/logContinuity.ts';
import { systemTimers } from '../platform/time/timers.ts';
import type { FollowedEvent, Following } from '../ports/eventFeed.ts';
import type { LogStatus } from '../ports/eventLog.ts';
import type { OnEdgeEvent } from './edgeEvents.ts';
import type { Hub } from './hub.ts';
import type { Inbox } from './inbox.ts';
import { forgetErased } from './resume/forgetErased.ts';
import type { LogPages } from './resume/logPages.ts';
import type { ReplayBuffer } from './resume/replayBuffer.ts';

export interface LiveFeedOptions {
  readonly application: ApplicationContext;
  readonly hub: Hub;
  readonly inbox: Inbox;
  readonly recent: ReplayBuffer;
  readonly pages: LogPages;
  /** Events before the log's end that the feed begins with, so that the replay buffer is filled. */
  readonly preloadEvents: number;
  readonly onEvent: OnEdgeEvent;
  readonly onFault: (error: unknown) => void;
  /** Interval of the watchdog's checks, in milliseconds. Default 2,000. */
  readonly watchEveryMs?: number;
}

/** Consecutive checks without progress behind the log's head that are tolerated; the next one restarts the feed. */
const STALLED_CHECKS = 2;

/**
 * One reader of the whole log for all sockets of this edge: conversations learn of changes, followers of events.
 *
 * The reader recovers from faults that it notices. A watchdog finds those that it does not: it compares the position with
 * the log's head and restarts the reader after the same position when that stands still although there is more.
 * When the log was replaced (its epoch changed, or it ends before the position), nothing that is known holds any more:
 * every subscriber is notified, and the feed begins at the new log's end.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  #following: Following | null = null;
  #log: KnownLog = { epoch: '', logId: '', olderEpochs: [], firstEvents: [] };
  /** Counts the logs that it has begun with: what was asked about one is no answer about the next. */
  #logs = 0;
  /** The event handed on last. */
  #last: FollowedEvent | null = null;
  #lastCheck = { position: -1, times: 0 };
  #watching: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Last sequence of the log at the last check. */
  head = 0;
  restarts = 0;

  private constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  /** @throws LogUnavailableError when the log cannot be read */
  static async start(options: LiveFeedOptions): Promise<LiveFeed> {
    const feed = new LiveFeed(options);
    await feed.#begin(await options.application.log.status());
    feed.#watchSoon();
    return feed;
  }

  /** Sequence up to which events have been handed on. */
  get position(): number {
    return this.#following?.position ?? 0;
  }

  /** Events of the log not handed on yet, at the last check. */
  get lagEvents(): number {
    return Math.max(0, this.head - this.position);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#watching !== null) clearTimeout(this.#watching);
    await this.#following?.stop();
  }

  async #begin(status: LogStatus): Promise<void> {
    const { epoch, firstSeq, lastSeq } = status;
    this.#log = knownFrom(status);
    this.head = lastSeq;
    const after = Math.max(0, firstSeq - 1, lastSeq - this.#options.preloadEvents);
    this.#options.recent.begin(after + 1);
    this.#options.application.conversations.tailBegins(epoch, after);
    await this.#follow(after);
  }

  async #follow(after: number): Promise<void> {
    const logs = this.#logs;
    const following = await this.#options.application.feed.follow({
      after,
      unreleasedMax: 4_096,
      confirm: () => this.#confirm(),
      onEvent: (event) => this.#accept(event),
    });
    if (this.#stopped || logs !== this.#logs) await following.stop();
    else this.#following = following;
  }

  /** A fault with one event must not keep the next ones from coming. */
  #accept(event: FollowedEvent): void {
    const { application, hub, inbox, onFault } = this.#options;
    this.#last = event;
    try {
      application.conversations.observe(event);
      hub.accept(event);
      inbox.accept(event);
      forgetErased(event, this.#options);
    } catch (error) {
      onFault(error);
    }
  }

  #watchSoon(): void {
    this.#watching = setTimeout(() => {
      this.#watch()
        .catch((error) => this.#options.onFault(error))
        .finally(() => {
          if (!this.#stopped) this.#watchSoon();
        });
    }, this.#options.watchEveryMs ?? 2_000);
    this.#watching.unref();
  }

  async #watch(): Promise<void> {
    // The position before the question: while the answer is on its way, the tail runs past it.
    const { position } = this;
    const status = await this.#options.application.log.status().catch(() => null);
    // A restart does not help against a log that does not answer.
    if (status === null || this.#stopped) return;
    if (status.epoch !== this.#log.epoch || status.lastSeq < position) return void (await this.#confirm());
    this.head = status.lastSeq;
    if (this.position >= status.lastSeq) this.#lastCheck = { position: -1, times: 0 };
    else if (this.#lastCheck.position !== this.position) {
      this.#lastCheck = { position: this.position, times: 1 };
    } else this.#lastCheck.times += 1;
    if (this.#lastCheck.times > STALLED_CHECKS) await this.#restart(this.position);
  }

  async #restart(position: number): Promise<void> {
    this.#lastCheck = { position: -1, times: 0 };
    this.restarts += 1;
    this.#options.onEvent({ type: 'tailRestarted', reason: 'stalled', position });
    await this.#following?.stop();
    await this.#follow(position);
  }

  /**
   * Whether the log still is the one that was read so far; if it is not, begins with the one that it is now. A log that
   * lost its tail gets a new epoch, so that positions from before are not taken for positions of it.
   */
  async #confirm(): Promise<boolean> {
    const { log } = this.#options.application;
    const { position } = this;
    const logs = this.#logs;
    const last = this.#last;
    const bytes = last === null ? null : Buffer.from(last.bytes);
    const matches =
      last?.seq === position && bytes !== null ? (found: Uint8Array) => bytes.equals(found) : null;
    const compared = await compareLog(log, { log: this.#log, seq: position, matches }, systemTimers);
    if (compared.continuity === 'same') return true;
    const renewal = renewalFor(this.#log, compared);
    if (renewal !== null) await log.renewEpoch(renewal);
    const status = await log.status();
    // Not waited for: it stops the following that asks.
    if (logs === this.#logs) this.#onOtherLog(status).catch(this.#options.onFault);
    return false;
  }

  async #onOtherLog(status: LogStatus): Promise<void> {
    const { application, hub, onEvent } = this.#options;
    this.#logs += 1;
    this.restarts += 1;
    onEvent({ type: 'tailRestarted', reason: 'otherLog', position: this.position });
    await this.#following?.stop();
    this.#last = null;
    application.conversations.clear();
    await this.#begin(status);
    hub.onOtherLog();
  }
}
