import type { ChangedFrame, MessageChangeFrame, Presence } from './protocol.ts';
import type { AnswerFrame, Request } from './requestQueue.ts';

/** A request, and its answer as the app awaits it. */
export interface Asked<Answer> {
  readonly request: Request;
  readonly answered: Promise<Answer>;
}

type Unnumbered<Frame> = Frame extends unknown ? Omit<Frame, 'id'> : never;

/** A change of a message that has no number yet. */
export type WantedChange = Unnumbered<MessageChangeFrame>;

const NAMES: Record<WantedChange['op'], string> = {
  edit: 'Editing',
  delete: 'Deleting',
  react: 'Reacting to',
  unreact: 'Taking back a reaction to',
};

/** A change as the queue asks for it. */
export function changeRequest(wanted: WantedChange): Asked<ChangedFrame> {
  const { op, messageId, conversationId } = wanted;
  return asked(
    {
      what: `${NAMES[op]} ${messageId} in ${conversationId}`,
      isChange: true,
      frame: (id) => ({ ...wanted, id }),
    },
    (frame) => (frame.op === 'changed' ? frame : null),
  );
}

/** Who is online, as the queue asks for it. */
export function presenceRequest(userIds: readonly string[]): Asked<Presence> {
  const wanted = [...userIds];
  return asked(
    {
      what: `Asking who of ${wanted.length} is online`,
      isChange: false,
      frame: (id) => ({ op: 'presence', id, userIds: wanted }),
    },
    (frame) => (frame.op === 'presence' ? frame.presence : null),
  );
}

/** @param read takes from a frame what was asked for; null when it answers something else */
function asked<Answer>(
  question: Pick<Request, 'what' | 'isChange' | 'frame'>,
  read: (frame: AnswerFrame) => Answer | null,
): Asked<Answer> {
  let settle: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;
  const answered = new Promise<Answer>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Reactions are often sent without waiting: a failure that nobody handles is not an unhandled rejection.
  answered.catch(() => {});
  const onAnswer = (frame: AnswerFrame): boolean => {
    const answer = read(frame);
    if (answer !== null) settle?.resolve(answer);
    return answer !== null;
  };
  return { request: { ...question, onAnswer, onFail: (error) => settle?.reject(error) }, answered };
}
