import { z } from 'zod';
import { ClientFrame } from '../../frames/clientFrames.ts';
import { EventFrame, ServerFrame } from '../../frames/serverFrames.ts';
import type { JsonSchema, JsonSchemas } from '../jsonSchemas.ts';

/** A frame of the native protocol, as the document names it. */
export interface DescribedFrame {
  /** Of its schema and message: `JoinRequest`, `JoinedFrame`. */
  readonly name: string;
  readonly op: string;
  readonly description: string;
  readonly schema: JsonSchema;
  /** `answer`: has a request's number. `notice`: never has. `either`: both are possible. */
  readonly role: 'request' | 'answer' | 'notice' | 'either';
}

/** What clients send, one for each member of the union: a new operation is described as soon as it is in the schema. */
export function clientFrames(schemas: JsonSchemas): DescribedFrame[] {
  return ClientFrame.options.map((member) => {
    const op: string = member.shape.op.value;
    const name = `${op.charAt(0).toUpperCase()}${op.slice(1)}Request`;
    const schema = schemas.ofInput(member);
    schemas.add(name, schemas.resolve(schema));
    return {
      name,
      op,
      description: schema.description ?? '',
      schema: schemas.resolve(schema),
      role: 'request',
    };
  });
}

/** What the server sends, the event first. */
export function serverFrames(schemas: JsonSchemas): DescribedFrame[] {
  return [EventFrame, ...ServerFrame.options].map((member) => {
    const op: string = member.shape.op.value;
    const name = member.meta()?.id ?? `${op.charAt(0).toUpperCase()}${op.slice(1)}Frame`;
    const schema = schemas.resolve(schemas.ofOutput(member));
    schemas.add(name, schema);
    return { name, op, description: schema.description ?? '', schema, role: roleOf(member) };
  });
}

function roleOf(member: z.ZodObject): DescribedFrame['role'] {
  const { id } = member.shape;
  if (id === undefined) return 'notice';
  return id instanceof z.ZodNullable ? 'either' : 'answer';
}

export function isAnswer({ role }: DescribedFrame): boolean {
  return role === 'answer' || role === 'either';
}

export function isNotice({ role }: DescribedFrame): boolean {
  return role === 'notice' || role === 'either';
}

/** Which frame says that a request was carried out; of an operation that is not here, any may. */
const ANSWERS: Readonly<Partial<Record<string, readonly string[]>>> = {
  join: ['JoinedFrame'],
  leave: ['LeftFrame'],
  send: ['SentFrame'],
  read: ['ReadFrame'],
  ping: ['PongFrame'],
  edit: ['ChangedFrame'],
  delete: ['ChangedFrame'],
  react: ['ChangedFrame'],
  unreact: ['ChangedFrame'],
  presence: ['PresenceFrame'],
  typing: [],
} satisfies { [Op in ClientFrame['op']]?: readonly string[] };

/** The frames that may answer a request: none, or the one for its success and the error. */
export function answersTo({ op }: DescribedFrame, sent: readonly DescribedFrame[]): DescribedFrame[] {
  const names = ANSWERS[op];
  const answers = sent.filter(isAnswer);
  if (names === undefined) return answers;
  if (names.length === 0) return [];
  return answers.filter((frame) => names.includes(frame.name) || frame.op === 'error');
}

/** A frame's schema without some of its fields. */
export function without(schema: JsonSchema, ...fields: readonly string[]): JsonSchema {
  const { properties = {}, required = [], ...rest } = schema;
  const kept = Object.entries(properties).filter(([name]) => !fields.includes(name));
  const left = required.filter((name) => !fields.includes(name));
  return { ...rest, properties: Object.fromEntries(kept), ...(left.length > 0 && { required: left }) };
}
