import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';
import type { AllowedOrigins } from './origins.ts';

export interface SecurityHeadersOptions {
  /** Browsers that came by TLS keep to TLS for so long, in seconds; 0 leaves that to the gateway. Default: a year. */
  readonly hstsSeconds?: number | undefined;
  /** Whose pages may use answers; absent: none but those of the same origin. */
  readonly allowedOrigins?: AllowedOrigins | undefined;
}

export type HeaderList = readonly (readonly [name: string, value: string])[];

export const HSTS_SECONDS = 31_536_000;

/**
 * What every HTTP answer of the API and of the edge says about itself to browsers. Answers are data: whatever a browser
 * takes one for, it runs, frames and loads nothing. A route that serves pages sets its own policy over these.
 *
 * helmet decides how each is written. It is asked once, here, and not for each request, because the answer never changes; and
 * the edge, which is not built on Express, needs the same.
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): HeaderList {
  const { hstsSeconds = HSTS_SECONDS, allowedOrigins } = options;
  const policy = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      // The last two do not fall back to the first.
      directives: {
        'default-src': ["'none'"],
        'frame-ancestors': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
      },
    },
    // Browsers heed it over TLS only, which a gateway in front ends. Other hosts of the domain are not ours to bind.
    strictTransportSecurity: hstsSeconds > 0 && { maxAge: hstsSeconds, includeSubDomains: false },
    crossOriginResourcePolicy: { policy: allowedOrigins === undefined ? 'same-origin' : 'cross-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    xContentTypeOptions: true,
    xDnsPrefetchControl: { allow: false },
    xPermittedCrossDomainPolicies: { permittedPolicies: 'none' },
    // For pages and for browsers of long ago.
    originAgentCluster: false,
    xDownloadOptions: false,
    xXssProtection: false,
    xPoweredBy: false,
  });
  return headersSetBy(policy);
}

function headersSetBy(policy: ReturnType<typeof helmet>): HeaderList {
  const request = new IncomingMessage(new Socket());
  const answer = new ServerResponse(request);
  policy(request, answer, (error?: unknown) => {
    if (error !== undefined) throw error;
  });
  return answer.getHeaderNames().map((name) => [properCase(name), String(answer.getHeader(name))] as const);
}

/** Node keeps names in lower case beside those that were set; written as everybody writes them. */
function properCase(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()).replace('Dns', 'DNS');
}
