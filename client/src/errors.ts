import type { ErrorFrame, FieldProblem } from './protocol.ts';

/** What every error of this package is, so that an app can tell them from its own. */
export abstract class ChatClientError extends Error {}

/** An argument that the server would refuse. Nothing was sent. */
export class InvalidArgumentError extends ChatClientError {
  override readonly name = 'InvalidArgumentError';
  /** Which argument. */
  readonly argument: string;

  constructor(argument: string, reason: string) {
    super(`${argument} ${reason}. Nothing was sent; correct the argument.`);
    this.argument = argument;
  }
}

/** There is no WebSocket here, as in Node.js before 22. */
export class WebSocketMissingError extends ChatClientError {
  override readonly name = 'WebSocketMissingError';

  constructor() {
    super(
      'This runtime has no global WebSocket (Node.js has one from version 22). Install the package "ws" and pass it: ' +
        "import WebSocket from 'ws'; new ChatClient({ url, userId, WebSocket }).",
    );
  }
}

/** The client was closed by the app. */
export class ClientClosedError extends ChatClientError {
  override readonly name = 'ClientClosedError';

  constructor(what: string) {
    super(
      `${what}: the client was closed. Make a new ChatClient; a message is recognised by its clientMessageId.`,
    );
  }
}

/** The server does not want this client: it does not reconnect. */
export class ConnectionRefusedError extends ChatClientError {
  override readonly name = 'ConnectionRefusedError';
  /** Close code of the WebSocket: 1008 for policy, 4003 for a blocked address. */
  readonly closeCode: number;

  constructor(url: string, closeCode: number, reason: string) {
    const said = reason === '' ? '' : `, saying "${reason}"`;
    super(
      `The server at ${url} refused this client with close code ${closeCode}${said}. It would refuse it again, so ` +
        'there is no reconnect: clear the cause with its operators, then make a new ChatClient.',
    );
    this.closeCode = closeCode;
  }
}

/** The server refused a request: the catalogue of codes is in the server's docs/errors.md. */
export class RequestRefusedError extends ChatClientError {
  override readonly name: string = 'RequestRefusedError';
  readonly code: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** What is wrong with which field, for `invalid_request`. */
  readonly errors: readonly FieldProblem[];

  constructor(what: string, frame: Omit<ErrorFrame, 'op' | 'id'>) {
    const advice = frame.retryable
      ? 'The same request may succeed later.'
      : 'The same request would fail again.';
    super(`${what} was refused with ${frame.code}: ${frame.detail ?? 'no detail was given'} ${advice}`);
    this.code = frame.code;
    this.retryable = frame.retryable;
    this.retryAfterMs = frame.retryAfterMs;
    this.errors = frame.errors ?? [];
  }
}

/** A message or receipt was not acknowledged before its deadline. */
export class DeliveryTimeoutError extends ChatClientError {
  override readonly name = 'DeliveryTimeoutError';

  constructor(what: string, deadlineMs: number, cause: unknown) {
    super(
      `${what} was not acknowledged within ${deadlineMs} ms. It may have been stored all the same: sending it again ` +
        'with the same clientMessageId is safe and makes no second message.',
      { cause },
    );
  }
}

/** More waits to be sent than the app allows. */
export class SendQueueFullError extends ChatClientError {
  override readonly name = 'SendQueueFullError';

  constructor(sendQueueMax: number) {
    super(
      `${sendQueueMax} messages wait for their acknowledgement, which is as many as sendQueueMax allows. This one was ` +
        'not taken: wait until chat.pending is lower, or raise sendQueueMax.',
    );
  }
}

/** A change was sent, and nobody can say whether it was made. It is not sent again by itself. */
export class OutcomeUnknownError extends ChatClientError {
  override readonly name = 'OutcomeUnknownError';

  constructor(what: string, why: string, cause?: RequestRefusedError) {
    super(
      `${what} has an unknown outcome: ${why}. It may have been done all the same. Asking again is harmless as long as the ` +
        'same user changed nothing about that message in between, which the repeat would undo.',
      cause && { cause },
    );
  }
}

/** A change or a question had no answer in time, and nothing was changed by it. */
export class RequestTimeoutError extends ChatClientError {
  override readonly name = 'RequestTimeoutError';

  constructor(what: string, timeoutMs: number) {
    super(
      `${what} got no answer within ${timeoutMs} ms for want of a connection or a server that answers. Nothing was ` +
        'changed by it: ask again when chat.state is "open", or raise requestTimeoutMs.',
    );
  }
}

/** More changes and questions are under way than the app allows. */
export class RequestQueueFullError extends ChatClientError {
  override readonly name = 'RequestQueueFullError';

  constructor(what: string, requestsMax: number) {
    super(
      `${what} was not taken: ${requestsMax} changes and questions wait for their answer, which is as many as ` +
        'requestsMax allows. Wait for some of them, or raise requestsMax.',
    );
  }
}

/** An iterator was not read as fast as events came. */
export class BufferOverflowError extends ChatClientError {
  override readonly name = 'BufferOverflowError';
  /** The last sequence that the iterator gave out: go on from there with `room.resumeFrom`. */
  readonly lastSeq: number | null;

  constructor(conversationId: string, bufferMax: number, lastSeq: number | null) {
    super(
      `More than ${bufferMax} events of ${conversationId} waited for a slow reader, so later ones were not kept. ` +
        'Call room.resumeFrom(error.lastSeq) and iterate again, read faster, or raise bufferMax.',
    );
    this.lastSeq = lastSeq;
  }
}

/** A room for this conversation exists already. */
export class AlreadyJoinedError extends ChatClientError {
  override readonly name = 'AlreadyJoinedError';

  constructor(conversationId: string) {
    super(
      `${conversationId} is joined already by this client. Share that room, or leave it before joining again.`,
    );
  }
}

/** The user was removed from the conversation while it was followed. */
export class RemovedFromConversationError extends ChatClientError {
  override readonly name = 'RemovedFromConversationError';

  constructor(conversationId: string) {
    super(
      `This user was removed from ${conversationId}, so nothing more of it comes. ` +
        'Take it off the screen; join again when somebody has added the user again.',
    );
  }
}

/** The room was left, refused or closed with its client. */
export class RoomLeftError extends ChatClientError {
  override readonly name = 'RoomLeftError';

  constructor(conversationId: string) {
    super(`The room of ${conversationId} has ended. Join again with chat.join to go on.`);
  }
}
