import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
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

  it('has what linters want of each operation: what it is about, and how it is refused', () => {
    const document = buildOpenApi({ version });
    for (const methods of Object.values(document.paths)) {
      for (const { operationId, description, responses } of Object.values(methods)) {
        expect(description, operationId).toMatch(/\.$/);
        expect(Object.keys(responses), operationId).toContainEqual(expect.stringMatching(/^4/));
        const types = Object.values(responses).flatMap(({ content = {} }) => Object.keys(content));
        expect(
          types.filter((type) => type.includes('*')),
          operationId,
        ).toEqual([]);
      }
    }
  });

  it('names each operation once', () => {
    const ids = OPERATIONS.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

/** Every example of a document with the pointer of the schema that it is an example of. */
function examplesIn(node: unknown, path: readonly string[] = []): { pointer: string; example: unknown }[] {
  if (typeof node !== 'object' || node === null) return [];
  const here = (...more: string[]) =>
    [...path, ...more]
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
  const fields: Record<string, unknown> = { ...node };
  const examples = Array.isArray(fields.examples) ? fields.examples : [];
  return [
    ...examples.map((example) => ({ pointer: here(), example })),
    ...('example' in fields && 'schema' in fields
      ? [{ pointer: here('schema'), example: fields.example }]
      : []),
    ...Object.entries(fields).flatMap(([name, value]) => examplesIn(value, [...path, name])),
  ];
}

describe.each([
  ['OpenAPI', buildOpenApi({ version }), Ajv2020],
  ['AsyncAPI', buildAsyncApi({ version }), Ajv],
])('every example of the %s document', (_name, document, Validating) => {
  it.each([true, false])(
    'is valid by its schema, read with patterns in Unicode mode: %s',
    (unicodeRegExp) => {
      const ajv = new Validating({ strict: false, validateSchema: false, unicodeRegExp });
      addFormats.default(ajv);
      ajv.addSchema(structuredClone({ ...document }), 'document');
      const examples = examplesIn(document);
      expect(examples.length).toBeGreaterThan(5);
      for (const { pointer, example } of examples) {
        const validate = ajv.compile({ $ref: `document#/${pointer}` });
        expect([pointer, example, validate(example), validate.errors]).toEqual([
          pointer,
          example,
          true,
          null,
        ]);
      }
    },
  );

  it('stands beside patterns that mean the same in every mode', () => {
    expect(JSON.stringify(document)).not.toMatch(/"pattern":"[^"]*(\\\\p\{|\(\?<)/);
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
