import type { Router } from 'express';
import { type Handler, resource } from '../answer/resource.ts';
import type { HttpDeps } from '../deps.ts';
import { DOWNLOADS_PARALLEL_MAX, download } from './download.ts';
import { overloaded, receiveUpload } from './receiveUpload.ts';
import { refuseUpload } from './refuseUpload.ts';
import { failedUpload } from './uploadEvents.ts';
import { ClientGoneError } from './uploadPace.ts';

const PATH = '/api/chat/uploads';

/** Files to attach to messages. */
export function uploadRoutes(router: Router, deps: HttpDeps): void {
  resource(router, PATH, { post: upload(deps) });
  resource(router, `${PATH}/:uploadId`, { get: download(deps, DOWNLOADS_PARALLEL_MAX) });
}

function upload(deps: HttpDeps): Handler {
  const { onEvent, limits } = deps.uploads;
  let inFlight = 0;
  return async (req, res) => {
    inFlight += 1;
    let cleanup = Promise.resolve();
    try {
      if (inFlight > limits.parallelMax) throw overloaded(limits);
      const attachment = await receiveUpload(deps, req, (done) => {
        cleanup = done;
      });
      const { bytes, mediaType } = attachment;
      onEvent({ outcome: 'stored', reason: 'stored', bytes, mediaType });
      res.status(201).location(`${PATH}/${attachment.id}`).json({ attachment });
    } catch (error) {
      onEvent(failedUpload(error));
      if (error instanceof ClientGoneError) res.destroy();
      else await refuseUpload(req, res, error);
    } finally {
      // Its place is free when its bytes are.
      void cleanup.then(() => {
        inFlight -= 1;
      });
    }
  };
}
