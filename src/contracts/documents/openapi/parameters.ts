import type { z } from 'zod';
import type { JsonSchema, JsonSchemas } from '../jsonSchemas.ts';
import type { RequestHeader } from './headers.ts';
import type { Operation } from './operation.ts';

export interface OpenApiParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: JsonSchema;
}

/** A parameter that every operation may name: it is among the document's components. */
interface ParameterReference {
  readonly $ref: string;
}

/** The parameters of an operation: those of its path, its query, and the headers it reads. */
export function parametersOf(
  operation: Operation,
  schemas: JsonSchemas,
): (OpenApiParameter | ParameterReference)[] {
  const { params, query, headers = [], conditional } = operation;
  const read: readonly RequestHeader[] = [
    'X-Request-Id',
    ...headers,
    ...(conditional ? (['If-None-Match'] as const) : []),
  ];
  return [
    ...fieldsOf(params, 'path', schemas),
    ...fieldsOf(query, 'query', schemas),
    ...read.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

/** Each field of an object as a parameter. */
function fieldsOf(
  schema: z.ZodType | undefined,
  place: 'path' | 'query',
  schemas: JsonSchemas,
): OpenApiParameter[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.resolve(schemas.ofInput(schema));
  return Object.entries(properties).map(([name, field]) =>
    parameter(name, place, required.includes(name), field),
  );
}

function parameter(
  name: string,
  place: 'path' | 'query',
  required: boolean,
  field: JsonSchema | boolean,
): OpenApiParameter {
  if (typeof field === 'boolean') throw new Error(`The ${place} parameter ${name} needs a schema.`);
  const { description, ...schema } = field;
  return {
    name,
    in: place,
    required,
    ...(description !== undefined && { description }),
    // Lists are one value with commas.
    ...(schema.type === 'array' && { style: 'form', explode: false }),
    schema,
  };
}
