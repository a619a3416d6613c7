/** The client of chat-backend: see README.md. */
export { ChatClient, type ChatClientEvents } from './chatClient.ts';
export { ChatHttp } from './chatHttp.ts';
export type { Clock } from './clock.ts';
export type { ConnectionState } from './connectionStates.ts';
export * from './errors.ts';
export * from './httpErrors.ts';
export type * from './httpOptions.ts';
export type * from './httpShapes.ts';
export type { ChatClientOptions } from './options.ts';
export * from './protocol.ts';
export type { ChangeOptions, DeleteOptions, Room, SendOptions } from './room.ts';
export type * from './roomEvents.ts';
export type { SentMessage, SentMessageState } from './sentMessage.ts';
export type { JoinOptions } from './subscription.ts';
export type { SubscriptionState } from './subscriptionStates.ts';
export type { WebSocketConstructor, WebSocketLike } from './webSocket.ts';
