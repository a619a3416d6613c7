import { SetUpError } from './step.mjs';

const minimum = [20, 19];

/** @param {string} [version] As in process.versions.node. @throws SetUpError when it is too old */
export function checkNodeVersion(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > minimum[0] || (major === minimum[0] && minor >= minimum[1])) return;
  throw new SetUpError(
    `Node.js ${version} is too old: chat-backend needs ${minimum.join('.')} or later (https://nodejs.org).`,
  );
}
