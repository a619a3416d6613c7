import type { Router } from 'express';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';

/** What Prometheus reads. */
export function metricsRoutes(router: Router, { operations: { metrics } }: HttpDeps): void {
  const get: Handler = async (_req, res) => {
    const text = await metrics.text();
    res.set('Content-Type', metrics.contentType).end(text);
  };
  resource(router, '/metrics', { get });
}
