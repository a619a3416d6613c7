import fc from 'fast-check';
import type { JsonSchema } from '../../../src/contracts/documents/jsonSchemas.ts';
import type { OpenApiDocument } from '../../../src/contracts/documents/openapi/document.ts';
import type { OpenApiParameter } from '../../../src/contracts/documents/openapi/parameters.ts';
import type { OpenApiContent } from '../../../src/contracts/documents/openapi/responses.ts';
import { anyForm, type Sent } from '../http/formArbitraries.ts';
import { field } from '../http/multipart.ts';
import type { RawRequest } from '../http/rawCall.ts';

/** Values that are known to the API under test, by the name of the field or parameter: they get past its first checks. */
export type KnownValues = Readonly<Record<string, readonly unknown[]>>;

const ODD_TEXT = [
  '',
  ' ',
  '\0',
  '\r\n',
  '.',
  '*',
  '>',
  '\u200b',
  '\ud800',
  '😀',
  "';--",
  '__proto__',
  '-1',
  '1e9',
  '0',
];
const oddText = fc.oneof(fc.constantFrom(...ODD_TEXT), fc.string({ unit: 'binary', maxLength: 40 }));
const odd = fc.oneof(oddText, fc.jsonValue(), fc.constantFrom(2 ** 53, -1, 0.5, 1e308, null, [], {}));

/** Requests as an API document describes them, and as it does not: wrong types, missing and extra fields, junk. */
export class DocumentedRequests {
  readonly #document: OpenApiDocument;
  readonly #known: KnownValues;
  /** How often something is not as described, as a weight beside what is. */
  readonly #oddWeight: 0 | 1;

  constructor(document: OpenApiDocument, known: KnownValues, oddWeight: 0 | 1 = 1) {
    this.#document = document;
    this.#known = known;
    this.#oddWeight = oddWeight;
  }

  /** Half of them all in order, so that enough gets past the first checks. */
  any(): fc.Arbitrary<RawRequest> {
    const tame = new DocumentedRequests(this.#document, this.#known, 0);
    return fc.oneof(this.#all(), tame.#all());
  }

  #all(): fc.Arbitrary<RawRequest> {
    const all = Object.entries(this.#document.paths).flatMap(([template, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => ({
        // There is more to be got wrong in a body.
        weight: requestBody === undefined ? 1 : 3,
        arbitrary: this.#of(method, template),
      })),
    );
    return fc.oneof(...all);
  }

  #of(method: string, template: string): fc.Arbitrary<RawRequest> {
    const operation = this.#document.paths[template]?.[method];
    const parameters = (operation?.parameters ?? []).map((parameter) => this.#parameter(parameter));
    const at = (place: string) => parameters.filter((parameter) => parameter.in === place);
    const { content = {} } = operation?.requestBody ?? {};
    return fc
      .record({
        params: fc.record(
          Object.fromEntries(at('path').map((each) => [each.name, this.#mixed(each.name, each.schema)])),
        ),
        query: this.#fields(at('query')),
        headers: this.#fields(at('header')),
        sent: this.#sent(content),
      })
      .map(({ params, query, headers, sent: { type, body } }) => ({
        method: method.toUpperCase(),
        path: pathOf(template, params) + queryOf(query),
        headers: headersOf(headers, type),
        ...(body !== undefined && { body }),
      }));
  }

  #parameter(parameter: OpenApiParameter | { readonly $ref: string }): OpenApiParameter {
    if (!('$ref' in parameter)) return parameter;
    return this.#document.components.parameters[parameter.$ref.split('/').at(-1) ?? '']!;
  }

  #fields(parameters: readonly OpenApiParameter[]): fc.Arbitrary<Record<string, unknown>> {
    const model = Object.fromEntries(parameters.map(({ name, schema }) => [name, this.#mixed(name, schema)]));
    const requiredKeys = parameters.filter(({ required }) => required).map(({ name }) => name);
    const right = fc.record(model, { requiredKeys, noNullPrototype: true });
    const wrong = fc.record({ ...model, odd }, { requiredKeys: [], noNullPrototype: true });
    return fc.oneof({ weight: 9, arbitrary: right }, { weight: this.#oddWeight, arbitrary: wrong });
  }

  #sent(content: Record<string, OpenApiContent>): fc.Arbitrary<Sent> {
    const json = content['application/json']?.schema;
    if (json !== undefined) return this.#body(json).map((body) => ({ type: 'application/json', body }));
    const form = content['multipart/form-data']?.schema;
    if (form === undefined) return fc.constant({});
    const { properties = {} } = form;
    const names = Object.keys(properties).filter((name) => name !== 'file');
    const value = (name: string) => this.#mixed(name, properties[name] as JsonSchema).map(plain);
    return anyForm(names.map((name) => value(name).map((text) => field(name, text))));
  }

  #body(schema: JsonSchema): fc.Arbitrary<string> {
    const right = this.#value('', schema).map((value) => JSON.stringify(value) ?? '');
    const wrong = odd.map((value) => JSON.stringify(value) ?? '');
    const cut = fc.tuple(right, fc.nat(30)).map(([text, length]) => text.slice(0, length));
    return fc.oneof(
      { weight: 8, arbitrary: right },
      { weight: this.#oddWeight, arbitrary: wrong },
      { weight: this.#oddWeight, arbitrary: cut },
    );
  }

  /** Mostly as described. */
  #mixed(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    return fc.oneof(
      { weight: 12, arbitrary: this.#value(name, schema) },
      { weight: this.#oddWeight, arbitrary: odd },
    );
  }

  #value(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    const known = this.#known[name];
    // Of a list, each of what is in it is one of them.
    if (known !== undefined && schema.type !== 'array') {
      return fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...known) },
        { weight: this.#oddWeight, arbitrary: this.#described(name, schema) },
      );
    }
    return this.#described(name, schema);
  }

  #described(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    if (schema.$ref !== undefined) {
      const component = this.#document.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
      return this.#value(name, component ?? {});
    }
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.properties !== undefined) return this.#object(schema);
    if (schema.anyOf !== undefined)
      return fc.oneof(...schema.anyOf.map((each) => this.#described(name, each as JsonSchema)));
    if (schema.type === 'array')
      return fc.array(this.#mixed(name, (schema.items ?? {}) as JsonSchema), { maxLength: 4 });
    if (schema.type === 'boolean') return fc.boolean();
    if (schema.type === 'null') return fc.constant(null);
    if (schema.type === 'integer')
      return fc.oneof(fc.nat(300), fc.constantFrom(0, schema.maximum ?? 0, 2 ** 53));
    return text(schema);
  }

  #object({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
    const model = Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, this.#mixed(name, each as JsonSchema)]),
    );
    const right = fc.record(model, { requiredKeys: [...required], noNullPrototype: true });
    const wrong = fc.record({ ...model, extra: odd }, { requiredKeys: [], noNullPrototype: true });
    return fc.oneof({ weight: 9, arbitrary: right }, { weight: this.#oddWeight, arbitrary: wrong });
  }
}

/** An example, any text, or one at the limit of its length and beyond. */
function text({ examples = [], maxLength = 128 }: JsonSchema): fc.Arbitrary<unknown> {
  const long = fc.constantFrom('x'.repeat(maxLength), '😀'.repeat(maxLength), 'x'.repeat(maxLength + 1));
  const some = fc.oneof(fc.string({ maxLength: 20 }), fc.nat(300).map(String), oddText, long);
  return examples.length === 0 ? some : fc.oneof(fc.constantFrom(...examples), some);
}

/** A value as text: a list with commas, anything but text as JSON. */
function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(',');
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

/** A value as text in a URL, now and then in a way that is not UTF-8. */
function encoded(value: unknown): string {
  const text = plain(value);
  return text.isWellFormed() ? encodeURIComponent(text) : '%FF%';
}

function pathOf(template: string, params: Record<string, unknown>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_all, name) => encoded(params[name]).slice(0, 2_000));
}

function queryOf(query: Record<string, unknown>): string {
  const pairs = Object.entries(query).map(([name, value]) => `${name}=${encoded(value).slice(0, 2_000)}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

/** What HTTP cannot carry in a header is left out. */
function headersOf(headers: Record<string, unknown>, type: string | undefined): Record<string, string> {
  const entries = Object.entries(headers)
    .map(
      ([name, value]) =>
        [
          name,
          plain(value)
            .replaceAll(/[^\t\x20-\x7e\xa0-\xff]/g, '')
            .slice(0, 500),
        ] as const,
    )
    .filter(([, value]) => value !== '');
  return { ...(type !== undefined && { 'Content-Type': type }), ...Object.fromEntries(entries) };
}
