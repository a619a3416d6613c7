/**
 * Whether the log can be asked, and what leads from one state to the next.
 *
 * - `available`: appends and reads go through.
 * - `suspect`: the connection is lost, or something has been unanswered for longer than is usual. Appends and reads still
 *   go through, so that a restarted server or a short pause costs nobody a refusal; meanwhile the log is asked a question.
 *   An answer in time → `available`; none within the grace → `unavailable`.
 * - `unavailable`: appends and reads are refused at once, because nobody should wait for what will not come. After a pause
 *   with jitter → `probing`.
 * - `probing`: refused as well, while the log is asked whether it is back.
 * - `closed`: nothing is checked any more; final.
 *
 * In every state an acknowledgement is the best proof that there is, and leads to `available`.
 */
export type LogState = 'available' | 'suspect' | 'unavailable' | 'probing' | 'closed';

export type LogTrigger =
  | 'disconnected'
  /** Something has been waiting for longer than is usual, or a read was given up. */
  | 'silent'
  /** It has been suspect for long enough. */
  | 'graceOver'
  /** The log took or refused an append. */
  | 'acknowledged'
  /** The log answered something else, and owes no acknowledgement that is overdue. */
  | 'answered'
  | 'probeDue'
  | 'probeFailed'
  | 'close';

/** `null`: the trigger means nothing in that state and changes nothing. */
type Row = Readonly<Record<LogTrigger, LogState | null>>;

const NOTHING: Row = {
  disconnected: null,
  silent: null,
  graceOver: null,
  acknowledged: null,
  answered: null,
  probeDue: null,
  probeFailed: null,
  close: 'closed',
};

const PROVEN = { acknowledged: 'available', answered: 'available' } as const;

const TRANSITIONS: Readonly<Record<LogState, Row>> = {
  available: { ...NOTHING, disconnected: 'suspect', silent: 'suspect' },
  suspect: { ...NOTHING, ...PROVEN, graceOver: 'unavailable' },
  unavailable: { ...NOTHING, ...PROVEN, probeDue: 'probing' },
  probing: { ...NOTHING, ...PROVEN, probeFailed: 'unavailable', disconnected: 'unavailable' },
  closed: { ...NOTHING, close: null },
};

/** The state that follows; the same one when the trigger means nothing there. */
export function transition(state: LogState, trigger: LogTrigger): LogState {
  return TRANSITIONS[state][trigger] ?? state;
}

/** Whether appends and reads are refused in a state. */
export function refuses(state: LogState): boolean {
  return state === 'unavailable' || state === 'probing';
}
