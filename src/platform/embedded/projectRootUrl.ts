import { pathToFileURL } from 'node:url';
import { projectRoot } from './projectRoot.ts';

/** The project's root folder as a URL that relative ones resolve against. */
export function projectRootUrl(): URL {
  return pathToFileURL(`${projectRoot()}/`);
}
