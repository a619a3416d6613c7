import { z } from 'zod';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Where the document's reader finds a named schema. */
const PLACE = '#/components/schemas/';

/**
 * The JSON Schemas of one API document. Zod schemas that have an id (`.meta({ id })`) become components, everything else
 * is written where it is used. What servers send may grow: objects in answers allow more fields than are described.
 */
export class JsonSchemas {
  readonly #target: 'draft-2020-12' | 'draft-07';
  readonly components: Record<string, JsonSchema> = {};

  constructor(target: 'draft-2020-12' | 'draft-07') {
    this.#target = target;
  }

  /** What a client may send. */
  ofInput(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'input');
  }

  /** What the server sends. */
  ofOutput(schema: z.ZodType): JsonSchema {
    return this.#convert(schema, 'output');
  }

  /** Makes a component of a schema that is JSON already. @throws Error when another one has the name */
  add(name: string, schema: JsonSchema): JsonSchema {
    const known = this.components[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`Two schemas of an API document are called ${name}: give one of them another id.`);
    }
    this.components[name] = schema;
    return { $ref: PLACE + name };
  }

  /** A schema itself, where its converted form may be a reference. */
  resolve(schema: JsonSchema): JsonSchema {
    const name = schema.$ref?.slice(PLACE.length);
    return name === undefined ? schema : (this.components[name] ?? schema);
  }

  #convert(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const made = z.toJSONSchema(schema, {
      io,
      target: this.#target,
      override: ({ jsonSchema }) => {
        // It says that the type is immutable; in API documents it would mean "never send this".
        delete jsonSchema.readOnly;
        if (io === 'output' && jsonSchema.properties !== undefined) delete jsonSchema.additionalProperties;
      },
    });
    const { $schema: _, $defs, definitions, ...rest } = relocated(made);
    for (const [name, component] of Object.entries($defs ?? definitions ?? {})) this.add(name, component);
    return rest;
  }
}

/** A zod schema that was converted by itself: what it refers to comes along. */
type Converted = Omit<JsonSchema, '$defs' | 'definitions'> & {
  readonly $defs?: Record<string, JsonSchema>;
  readonly definitions?: Record<string, JsonSchema>;
};

/** A copy as plain JSON whose references point into the document. */
function relocated(schema: JsonSchema): Converted {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref' ? String(value).replace(/^#\/(\$defs|definitions)\//, PLACE) : value,
  );
}
