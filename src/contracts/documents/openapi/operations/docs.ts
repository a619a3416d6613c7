import { z } from 'zod';
import type { Operation } from '../operation.ts';

/** Files of the documentation page, and what they are served as. */
export const DOCS_ASSETS = {
  'page.css': 'text/css',
  'page.js': 'text/javascript',
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'favicon-32x32.png': 'image/png',
} as const;
export type DocsAsset = keyof typeof DOCS_ASSETS;

export function isDocsAsset(name: string): name is DocsAsset {
  return Object.hasOwn(DOCS_ASSETS, name);
}

const AssetPath = z.strictObject({ asset: z.string().meta({ examples: Object.keys(DOCS_ASSETS) }) });
const document = z.looseObject({});

export const docsOperations: readonly Operation[] = [
  {
    operationId: 'readMetrics',
    method: 'get',
    path: '/metrics',
    tag: 'operation',
    summary: 'Metrics, for Prometheus',
    answers: { 200: { description: 'The text format.', mediaType: 'text/plain', schema: z.string() } },
  },
  {
    operationId: 'readDocs',
    method: 'get',
    path: '/docs',
    tag: 'operation',
    summary: 'This document as a page to try things on',
    conditional: true,
    answers: { 200: { description: 'The page.', mediaType: 'text/html', schema: z.string() } },
  },
  {
    operationId: 'readDocsAsset',
    method: 'get',
    path: '/docs/{asset}',
    tag: 'operation',
    summary: 'A file of that page',
    params: AssetPath,
    conditional: true,
    answers: {
      200: {
        description: 'The file.',
        mediaType: [...new Set(Object.values(DOCS_ASSETS))],
        schema: z.string().meta({ format: 'binary' }),
      },
    },
    errors: ['invalid_request', 'not_found'],
  },
  {
    operationId: 'readOpenApi',
    method: 'get',
    path: '/docs/openapi.json',
    tag: 'operation',
    summary: 'This document (OpenAPI 3.1)',
    conditional: true,
    answers: { 200: { description: 'The document.', schema: document } },
  },
  {
    operationId: 'readAsyncApi',
    method: 'get',
    path: '/docs/asyncapi.json',
    tag: 'operation',
    summary: 'The same for WebSocket, Socket.IO and event streams (AsyncAPI 3.0)',
    conditional: true,
    answers: { 200: { description: 'The document.', schema: document } },
  },
];
