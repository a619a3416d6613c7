import { InvalidArgumentError } from './errors.ts';
import type {
  CallOptions,
  ChatHttpOptions,
  HistoryRange,
  NewConversation,
  SearchOptions,
  UploadOptions,
} from './httpOptions.ts';
import { presenceQuery, query, reactionPath } from './httpPaths.ts';
import { type HttpCall, request } from './httpRequest.ts';
import type {
  ChangedReaction,
  Conversation,
  ConversationPage,
  CreatedConversation,
  DeletedMessage,
  EditedMessage,
  HistoryPage,
  PostedMessage,
  SearchPage,
} from './httpShapes.ts';
import {
  checkClientConversationId,
  checkClientMessageId,
  checkContent,
  checkConversationId,
  checkMessage,
  checkMessageId,
  checkSeq,
  checkUploadId,
  checkUserId,
  checkUserIds,
} from './limits.ts';
import { checkNumber, TIME_MS_MAX } from './options.ts';
import type { Attachment, Presence } from './protocol.ts';
import type { ChangeOptions, DeleteOptions, SendOptions } from './room.ts';

/**
 * The HTTP API, for what is not realtime. Every call throws `ChatProblem` for what the server refuses, `HttpTimeoutError`,
 * `HttpUnreachableError` and `UnexpectedAnswerError`; nothing is repeated by itself.
 */
export class ChatHttp {
  readonly #url: string;
  readonly #userId: string;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;
  readonly #uploadTimeoutMs: number;

  /** @throws InvalidArgumentError for options that cannot be right */
  constructor(options: ChatHttpOptions) {
    const { url, userId, fetch: fetchIt, timeoutMs = 10_000, uploadTimeoutMs = 120_000 } = options;
    checkUserId(userId);
    if (!URL.canParse(url)) throw new InvalidArgumentError('url', 'must be as in "https://chat.example.org"');
    this.#url = `${url.replace(/\/+$/, '')}/api/chat`;
    this.#userId = userId;
    // Browsers' fetch must be called on its own window.
    this.#fetch = fetchIt ?? ((...args) => fetch(...args));
    this.#timeoutMs = checkNumber('timeoutMs', timeoutMs, TIME_MS_MAX);
    this.#uploadTimeoutMs = checkNumber('uploadTimeoutMs', uploadTimeoutMs, TIME_MS_MAX);
  }

  /**
   * Makes a conversation in which this user takes part. To ask again after an error that says so, call it with the same
   * `clientConversationId`; without one, a new one is made for every call.
   */
  async createConversation(
    conversation: NewConversation = {},
    options?: CallOptions,
  ): Promise<CreatedConversation> {
    const { clientConversationId } = conversation;
    if (clientConversationId !== undefined) checkClientConversationId(clientConversationId);
    const body = { userId: this.#userId, ...conversation };
    return (await this.#call('POST', '/conversations', { body, ...options })) as CreatedConversation;
  }

  /** One conversation; `not_found` also when it is not open to this user. */
  async getConversation(conversationId: string, options?: CallOptions): Promise<Conversation> {
    checkConversationId(conversationId);
    const path = `/conversations/${conversationId}${query({ userId: this.#userId })}`;
    const answer = (await this.#call('GET', path, options)) as { conversation: Conversation };
    return answer.conversation;
  }

  /** This user's conversations, latest activity first. Hand `nextCursor` back for the next page. */
  async listConversations(
    page: { readonly cursor?: string; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<ConversationPage> {
    const path = `/conversations${query({ userId: this.#userId, ...page })}`;
    return (await this.#call('GET', path, options)) as ConversationPage;
  }

  /** A page of a conversation's messages, oldest first; without a range the latest. */
  async history(
    conversationId: string,
    range: HistoryRange = {},
    options?: CallOptions,
  ): Promise<HistoryPage> {
    checkConversationId(conversationId);
    const path = `/conversations/${conversationId}/messages${query({ userId: this.#userId, ...range })}`;
    return (await this.#call('GET', path, options)) as HistoryPage;
  }

  /**
   * Sends one message, once. To send again after an error that says so, call it with the same `clientMessageId`; without
   * one, a new one is made for every call. A `ChatClient` repeats by itself.
   *
   * @param content 1–8,000 characters; may be empty when there are attachments
   */
  async send(
    conversationId: string,
    content: string,
    message: SendOptions = {},
    options?: CallOptions,
  ): Promise<PostedMessage> {
    checkConversationId(conversationId);
    checkMessage(content, message.attachments);
    const clientMessageId = message.clientMessageId ?? crypto.randomUUID();
    checkClientMessageId(clientMessageId);
    if (message.replyTo !== undefined) checkMessageId('replyTo', message.replyTo);
    const { level, ...rest } = message;
    const body = { conversationId, userId: this.#userId, content, ...rest, clientMessageId };
    const headers: Record<string, string> = level === 'durable' ? { Prefer: 'wait=durable' } : {};
    return (await this.#call('POST', '/messages', { body, headers, ...options })) as PostedMessage;
  }

  /**
   * Replaces the content of a message of this user.
   *
   * As with every change of a message, there is no id by which the server would know a repeat. After `HttpTimeoutError`,
   * `HttpUnreachableError`, `UnexpectedAnswerError` or the problem `unknown_outcome` it may have been made. Asking again is
   * then harmless as long as the same user changed nothing about that message in between.
   */
  async edit(
    conversationId: string,
    messageId: string,
    content: string,
    change: ChangeOptions = {},
    options?: CallOptions,
  ): Promise<EditedMessage> {
    checkContent(content);
    const body = { ...this.#changeOf(conversationId, messageId, change), content };
    return (await this.#call('PATCH', `/messages/${messageId}`, { body, ...options })) as EditedMessage;
  }

  /** Deletes a message of this user, with `erase` also its bytes. May be asked again as {@link ChatHttp.edit} may. */
  async delete(
    conversationId: string,
    messageId: string,
    change: DeleteOptions = {},
    options?: CallOptions,
  ): Promise<DeletedMessage> {
    const body = this.#changeOf(conversationId, messageId, change);
    const path = `/messages/${messageId}${change.erase === true ? '?erase=true' : ''}`;
    return (await this.#call('DELETE', path, { body, ...options })) as DeletedMessage;
  }

  /**
   * Adds a reaction of this user to a message: exactly one emoji, or a name as `:shipit:`. One that is there already
   * stays. May be asked again as {@link ChatHttp.edit} may.
   */
  async react(
    conversationId: string,
    messageId: string,
    emoji: string,
    change: ChangeOptions = {},
    options?: CallOptions,
  ): Promise<ChangedReaction> {
    return this.#changeReaction('PUT', conversationId, messageId, emoji, change, options);
  }

  /** Takes a reaction of this user back; without one nothing changes. May be asked again as {@link ChatHttp.edit} may. */
  async unreact(
    conversationId: string,
    messageId: string,
    emoji: string,
    change: ChangeOptions = {},
    options?: CallOptions,
  ): Promise<ChangedReaction> {
    return this.#changeReaction('DELETE', conversationId, messageId, emoji, change, options);
  }

  /**
   * Messages in which words are, the latest first. Hand `nextCursor` back for the next page.
   *
   * @param text words that must all be there, `"a phrase"`, `or`, `-not`; 1–200 characters. The last word also finds what
   *   begins with it, unless something comes after it, be it a space
   */
  async search(text: string, search: SearchOptions = {}, options?: CallOptions): Promise<SearchPage> {
    if (search.conversationId !== undefined) checkConversationId(search.conversationId);
    const path = `/search${query({ userId: this.#userId, q: text, ...search })}`;
    return (await this.#call('GET', path, options)) as SearchPage;
  }

  /** Who of these users, 1–200, is online. Asks with a URL of at most 16 KB; `ChatClient.presence` takes any ids. */
  async presence(userIds: readonly string[], options?: CallOptions): Promise<Presence> {
    checkUserIds(userIds);
    const answer = (await this.#call('GET', `/presence${presenceQuery(userIds)}`, options)) as {
      presence: Presence;
    };
    return answer.presence;
  }

  /**
   * Uploads a file, so that messages of this user to the same conversation can name it as an attachment for 23 hours. Done
   * twice, there are two; what no message names is removed after a day.
   *
   * @returns with the `id` for `attachments` of a message
   */
  async upload(
    conversationId: string,
    file: Blob,
    { name }: UploadOptions = {},
    options?: CallOptions,
  ): Promise<Attachment> {
    checkConversationId(conversationId);
    const body = new FormData();
    // Before the file, so that a refused upload is spared its bytes.
    body.append('conversationId', conversationId);
    body.append('userId', this.#userId);
    if (name === undefined) body.append('file', file);
    else body.append('file', file, name);
    const more = { body, timeoutMs: this.#uploadTimeoutMs, ...options };
    const answer = (await this.#call('POST', '/uploads', more)) as { attachment: Attachment };
    return answer.attachment;
  }

  /** Where an attachment's bytes are, for a link or `fetch`. It names this user, who must be able to see its conversation. */
  uploadUrl(attachmentId: string): string {
    checkUploadId('attachmentId', attachmentId);
    return `${this.#url}/uploads/${attachmentId}${query({ userId: this.#userId })}`;
  }

  async #changeReaction(
    method: 'PUT' | 'DELETE',
    conversationId: string,
    messageId: string,
    emoji: string,
    change: ChangeOptions,
    options: CallOptions | undefined,
  ): Promise<ChangedReaction> {
    const body = this.#changeOf(conversationId, messageId, change);
    const path = reactionPath(messageId, emoji);
    return (await this.#call(method, path, { body, ...options })) as ChangedReaction;
  }

  #changeOf(conversationId: string, messageId: string, { seq }: ChangeOptions) {
    checkConversationId(conversationId);
    checkMessageId('messageId', messageId);
    if (seq !== undefined) checkSeq('seq', seq);
    return { conversationId, userId: this.#userId, ...(seq !== undefined && { seq }) };
  }

  #call(
    method: HttpCall['method'],
    path: string,
    more: Partial<Pick<HttpCall, 'body' | 'headers' | 'signal' | 'timeoutMs'>> = {},
  ): Promise<unknown> {
    return request(this.#fetch, { method, url: this.#url + path, timeoutMs: this.#timeoutMs, ...more });
  }
}
