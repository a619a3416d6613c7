import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildAsyncApi } from '../../../../src/contracts/documents/asyncapi/document.ts';
import { JsonSchemas } from '../../../../src/contracts/documents/jsonSchemas.ts';
import { buildOpenApi } from '../../../../src/contracts/documents/openapi/document.ts';
import { OPERATIONS } from '../../../../src/contracts/documents/openapi/operations/all.ts';
import { ClientFrame } from '../../../../src/contracts/frames/clientFrames.ts';
import { ServerFrame } from '../../../../src/contracts/frames/serverFrames.ts';

const version = '1.2.3';

describe('the OpenAPI document', () => {
  it('is valid by the meta schema of OpenAPI 3.1', async () => {
    const document = buildOpenApi({ version, operations: OPERATIONS });
    expect(await new Validator().validate(structuredClone({ ...document }))).toEqual({ valid: true });
  });

  it('names each operation once', () => {
    const ids = OPERATIONS.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the AsyncAPI document', () => {
  const document = buildAsyncApi({ version });

  it('is valid by the meta schema of AsyncAPI 3.0', () => {
    const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0.json');
    // The file brings the meta schema of JSON Schema along: Ajv's own would be a second one.
    const ajv = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
    addFormats.default(ajv);
    const validate = ajv.compile(JSON.parse(readFileSync(path, 'utf8')));
    expect([validate(document), validate.errors]).toEqual([true, null]);
  });

  it('has every frame of both unions, on both sockets', () => {
    const sent = Object.values(document.channels.socketio?.messages ?? {}).map(({ name }) => name);
    for (const { shape } of [...ClientFrame.options, ...ServerFrame.options]) {
      const op = shape.op.value;
      const native = Object.values(document.components.schemas).map(({ properties }) => properties?.op);
      expect(native).toContainEqual(expect.objectContaining({ const: op }));
      // What answers through an acknowledgement has no name there.
      const isAnswer = ['ack', 'joined', 'pong', 'error', 'changed'].includes(op);
      expect(sent).toContain(isAnswer ? undefined : op);
    }
  });
});

it('two different schemas of one name are refused', () => {
  const schemas = new JsonSchemas('draft-2020-12');
  schemas.add('Thing', schemas.ofOutput(z.string()));
  expect(schemas.add('Thing', { type: 'string' })).toEqual({ $ref: '#/components/schemas/Thing' });
  expect(() => schemas.add('Thing', { type: 'number' })).toThrow(/called Thing/);
});
