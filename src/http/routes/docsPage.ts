/**
 * The documentation page: Swagger UI and as little as it needs to start. All scripts and styles are files of their own, so that
 * the page's Content-Security-Policy needs no exceptions.
 */
export const PAGE_HTML = `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>chat-backend API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="stylesheet" href="/docs/page.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
    <script src="/docs/swagger-ui-bundle.js" defer></script>
    <script src="/docs/page.js" defer></script>
  </head>
  <body>
    <nav><a href="/docs/openapi.json">openapi.json</a> <a href="/docs/asyncapi.json">asyncapi.json</a></nav>
    <div id="docs"><noscript>This page needs JavaScript; the documents above do not.</noscript></div>
  </body>
</html>
`;

/** No validator: it would send the document's address to somebody else's server. */
export const PAGE_JS = `SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
  displayRequestDuration: true,
});
`;

export const PAGE_CSS = `body { margin: 0; background: #fafafa; }
nav { padding: 12px 24px; font: 14px monospace; }
nav a { margin-right: 16px; }
`;
