import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Response, Router } from 'express';
import { buildAsyncApi } from '../../contracts/documents/asyncapi/document.ts';
import { buildOpenApi } from '../../contracts/documents/openapi/document.ts';
import {
  DOCS_ASSETS,
  type DocsAsset,
  isDocsAsset,
} from '../../contracts/documents/openapi/operations/docs.ts';
import { ChatError } from '../../contracts/errors.ts';
import { projectRootUrl } from '../../platform/embedded/projectRootUrl.ts';
import { type Handler, resource } from '../answer/resource.ts';
import { PAGE_CSS, PAGE_HTML, PAGE_JS } from './docsPage.ts';

/** What is served as it is, made when it is first asked for and kept. */
interface File {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
}

/**
 * The page needs scripts, styles and the documents from here, and nothing from anywhere else. Its icons are images
 * inside its styles.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The API documents, and a page to read them on: Swagger UI, from the package that is installed. */
export function docsRoutes(router: Router): void {
  const documents = { openapi: buildOpenApi, asyncapi: buildAsyncApi };
  for (const [name, build] of Object.entries(documents)) {
    const make = () => fileOf('application/json', JSON.stringify(build({ version: productVersion() })));
    resource(router, `/docs/${name}.json`, { get: serve(once(make)) });
  }
  resource(router, '/docs', { get: serve(once(() => fileOf('text/html', PAGE_HTML))) });
  resource(router, '/docs/:asset', { get: asset() });
}

function serve(file: () => File): Handler {
  return (_req, res) => sendFile(res, file());
}

function asset(): Handler {
  const files = new Map<DocsAsset, File>();
  return (req, res) => {
    const { asset: name } = req.params;
    if (typeof name !== 'string' || !isDocsAsset(name)) {
      throw new ChatError('not_found', 'The documentation has no such file.');
    }
    const file = files.get(name) ?? fileOf(DOCS_ASSETS[name], contentOf(name));
    files.set(name, file);
    sendFile(res, file);
  };
}

/** With its name, Express answers 304 to who has it already. */
function sendFile(res: Response, { type, bytes, etag }: File): void {
  res.set({ 'Content-Security-Policy': PAGE_POLICY, 'Cache-Control': 'no-cache', ETag: etag });
  res.type(type).send(bytes);
}

/** Its own files, and those of the package. */
function contentOf(name: DocsAsset): string | Buffer {
  if (name === 'page.css') return PAGE_CSS;
  if (name === 'page.js') return PAGE_JS;
  return readFileSync(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`));
}

function fileOf(type: string, content: string | Buffer): File {
  const bytes = Buffer.from(content);
  return { type, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function productVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('package.json', projectRootUrl()), 'utf8'));
  return String(version);
}
