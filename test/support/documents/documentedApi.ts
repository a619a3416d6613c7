import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenApiDocument, OpenApiOperation } from '../../../src/contracts/documents/openapi/document.ts';

/** An answer as it came, whatever it holds. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Place {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly operation: OpenApiOperation;
}

/** Holds answers against the API document, and remembers which of it was seen. */
export class DocumentedApi {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #document: OpenApiDocument;
  readonly places: readonly Place[];
  /** `operationId status` of every answer that was as documented. */
  readonly seen = new Set<string>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(closed(document), 'openapi');
    this.places = Object.entries(document.paths)
      .flatMap(([template, methods]) =>
        Object.entries(methods).map(([method, operation]) => ({
          method,
          template,
          pattern: patternOf(template),
          operation,
        })),
      )
      // What is named goes before what a parameter stands for.
      .sort((a, b) => Number(a.template.includes('{')) - Number(b.template.includes('{')));
  }

  /** The operation that a request calls; undefined: none that is documented. */
  placeOf(method: string, url: string): Place | undefined {
    const [path = ''] = url.split('?');
    return this.places.find((place) => place.method === method.toLowerCase() && place.pattern.test(path));
  }

  /** What is wrong with an answer, going by the document; null: nothing. */
  fault(method: string, url: string, answer: RawAnswer): string | null {
    const place = this.placeOf(method, url);
    if (place === undefined) return `${method} ${url} is not documented`;
    const { operationId, responses } = place.operation;
    const what = `${operationId} ${answer.status}`;
    const response = responses[String(answer.status)];
    if (response === undefined) return `${what} is not documented: ${answer.text.slice(0, 300)}`;
    for (const name of Object.keys(response.headers)) {
      const wrong = this.#headerFault(name, answer.headers.get(name));
      if (wrong !== null) return `${what}: its header ${name} ${wrong}`;
    }
    const wrong = this.#bodyFault(place, answer);
    if (wrong === null) this.seen.add(what);
    return wrong === null ? null : `${what}: ${wrong}: ${answer.text.slice(0, 300)}`;
  }

  /** `operationId status` of all that is documented. */
  documented(): string[] {
    return this.places.flatMap(({ operation }) =>
      Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`),
    );
  }

  #headerFault(name: string, value: string | null): string | null {
    const headers = this.#document.components.headers as Record<string, { required?: boolean }>;
    if (value === null) return headers[name]?.required === true ? 'is missing' : null;
    const validate = this.#validator(`openapi#/components/headers/${pointerPart(name)}/schema`);
    return validate(value) ? null : `${this.#ajv.errorsText(validate.errors)}: ${value}`;
  }

  #bodyFault({ method, template, operation }: Place, { status, headers, text }: RawAnswer): string | null {
    const content = operation.responses[String(status)]?.content;
    if (content === undefined) return text === '' ? null : 'it has a body';
    const type = (headers.get('content-type') ?? '').split(';')[0] ?? '';
    const mediaType = Object.keys(content).find((name) => name === type);
    if (mediaType === undefined) return `its type is ${type}`;
    if (!type.endsWith('json')) return null;
    const pointer = ['paths', template, method, 'responses', status, 'content', mediaType, 'schema'];
    const validate = this.#validator(
      `openapi#/${pointer.map((part) => pointerPart(String(part))).join('/')}`,
    );
    return validate(JSON.parse(text)) ? null : this.#ajv.errorsText(validate.errors);
  }

  #validator($ref: string): ValidateFunction {
    const validate = this.#validators.get($ref) ?? this.#ajv.compile({ $ref });
    this.#validators.set($ref, validate);
    return validate;
  }
}

function patternOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}

/** Of a name in a JSON pointer that is part of a URI. */
function pointerPart(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** Clients ignore fields that they do not know; here, a field that is not documented is a mistake. */
export function closed<T>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_key, value) => {
    const isOpen = value?.type === 'object' && 'properties' in value && !('additionalProperties' in value);
    return isOpen && Object.keys(value.properties).length > 0
      ? { ...value, additionalProperties: false }
      : value;
  });
}
