/** Which page of a conversation's history: what the database and the log are asked alike. */
export interface MessagesQuestion {
  readonly conversationId: string;
  /** Messages with a smaller sequence, the latest of them. Neither `before` nor `after`: the latest of all. */
  readonly before?: number | undefined;
  /** Messages with a greater sequence, the earliest of them. */
  readonly after?: number | undefined;
  /** Messages at most, 1–200. */
  readonly limit: number;
}
