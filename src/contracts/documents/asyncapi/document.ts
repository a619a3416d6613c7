import { type JsonSchema, JsonSchemas } from '../jsonSchemas.ts';
import {
  type Channel,
  eventStreamChannel,
  nativeChannel,
  socketIoChannel,
  type Traffic,
} from './channels.ts';
import { clientFrames, serverFrames } from './frames.ts';

/** As much of AsyncAPI 3.0 as is written here. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: object;
  readonly defaultContentType: 'application/json';
  readonly servers: Record<string, object>;
  readonly channels: Record<string, Channel>;
  readonly operations: Record<string, AsyncApiOperation>;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
}

interface Reference {
  readonly $ref: string;
}

export interface AsyncApiOperation {
  /** As the server sees it. */
  readonly action: 'send' | 'receive';
  readonly channel: Reference;
  readonly summary?: string;
  readonly messages: readonly Reference[];
  readonly reply?: { readonly channel: Reference; readonly messages: readonly Reference[] };
}

const DESCRIPTION = `Live events, and sending over sockets. The same operations over three transports.

There is no authentication: this stands behind a gateway, and \`userId\` is opaque. An event is linked to the one before it in its
conversation by \`prev\`: one that is greater than the last \`seq\` you saw means that something is missing; join again with \`after\`.`;

/** The realtime side as an AsyncAPI 3.0 document. @throws Error when two different schemas have the same name */
export function buildAsyncApi({ version }: { readonly version: string }): AsyncApiDocument {
  const schemas = new JsonSchemas('draft-07');
  const frames = { client: clientFrames(schemas), server: serverFrames(schemas), schemas };
  const traffic = {
    native: nativeChannel(frames),
    socketio: socketIoChannel(frames),
    eventstream: eventStreamChannel(frames),
  };
  const channels = Object.entries(traffic);
  return {
    asyncapi: '3.0.0',
    info: { title: 'chat-backend', version, description: DESCRIPTION, license: { name: 'Apache-2.0' } },
    defaultContentType: 'application/json',
    servers: {
      edge: { host: 'localhost:3002', protocol: 'ws', description: 'EDGE_PORT' },
      api: { host: 'localhost:3001', protocol: 'http', description: 'PORT' },
    },
    channels: Object.fromEntries(channels.map(([name, { channel }]) => [name, channel])),
    operations: Object.fromEntries(channels.flatMap(([name, carried]) => operationsOf(name, carried))),
    components: { schemas: schemas.components },
  };
}

function operationsOf(name: string, { requests, notices, channel }: Traffic): [string, AsyncApiOperation][] {
  const place = { $ref: `#/channels/${name}` };
  const refer = (message: string) => ({ $ref: `#/channels/${name}/messages/${message}` });
  const summary = (message: string) => {
    const text = channel.messages[message]?.summary;
    return text === undefined ? {} : { summary: text };
  };
  const receive = Object.entries(requests).map(([message, answers]): [string, AsyncApiOperation] => [
    `${name}.${message}`,
    {
      action: 'receive',
      channel: place,
      ...summary(message),
      messages: [refer(message)],
      ...(answers.length > 0 && { reply: { channel: place, messages: answers.map(refer) } }),
    },
  ]);
  const send = notices.map((message): [string, AsyncApiOperation] => [
    `${name}.${message}`,
    { action: 'send', channel: place, ...summary(message), messages: [refer(message)] },
  ]);
  return [...receive, ...send];
}
