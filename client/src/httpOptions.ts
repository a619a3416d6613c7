/** What a `ChatHttp` is made with. */
export interface ChatHttpOptions {
  /** The HTTP API, as in `https://chat.example.org`; `/api/chat/…` is added. */
  readonly url: string;
  /** Who this is: 1–128 printable characters. */
  readonly userId: string;
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch;
  /** How long a call may take, in milliseconds. Default 10,000. At most a day. */
  readonly timeoutMs?: number;
  /** How long an upload may take, in milliseconds. Default 120,000, which is how long the server waits for its end. At most a day. */
  readonly uploadTimeoutMs?: number;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a new conversation may have. */
export interface NewConversation {
  readonly participantIds?: readonly string[];
  readonly title?: string;
  /** `members` (default): its participants only. `open`: every user who knows its id. */
  readonly visibility?: 'members' | 'open';
  /** Names it for good: calling again with it gives the same conversation. Default: a new one for every call. */
  readonly clientConversationId?: string;
}

/** Which part of the history. */
export interface HistoryRange {
  /** Messages before this sequence, the latest of them. Not together with `after`. */
  readonly before?: number;
  /** Messages after this sequence, the first of them. */
  readonly after?: number;
  /** 1–200. Default 50. */
  readonly limit?: number;
  /** Wait for the database to have come to this position: read your own writes. */
  readonly position?: string;
}

/** What is searched, and which page of it. */
export interface SearchOptions {
  /** Only this conversation. Default: all of this user's. */
  readonly conversationId?: string;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string;
  /** 1–200. Default 50. */
  readonly limit?: number;
  /** Wait, briefly, for the search to have come to this position: find what you wrote. */
  readonly position?: string;
}

/** What an upload may have besides its file. */
export interface UploadOptions {
  /** What the file is called. Default: its own name; a `Blob` has none and is called `blob`. */
  readonly name?: string;
}
