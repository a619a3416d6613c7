import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { buildAsyncApi } from '../../../src/contracts/documents/asyncapi/document.ts';
import { closed } from './documentedApi.ts';

/** The AsyncAPI document; a field that it does not have is a mistake here. */
export const asyncApi = closed(buildAsyncApi({ version: '0.0.0' }));

const ajv = new Ajv({ strict: false, validateSchema: false });
addFormats.default(ajv);
ajv.addSchema(asyncApi, 'asyncapi');

/** By the pointer of its schema: compiling one takes longer than all that is done with it. */
const validators = new Map<string, ValidateFunction>();

function validator($ref: string): ValidateFunction {
  const validate = validators.get($ref) ?? ajv.compile({ $ref });
  validators.set($ref, validate);
  return validate;
}

/** The messages of a channel that a payload is valid as. */
export function messagesLike(channel: string, payload: unknown): string[] {
  const messages = asyncApi.channels[channel]?.messages ?? {};
  return Object.keys(messages).filter((name) =>
    validator(`asyncapi#/channels/${channel}/messages/${name}/payload`)(payload),
  );
}
