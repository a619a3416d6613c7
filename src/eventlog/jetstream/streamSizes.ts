/** How large each stream may grow, in bytes; nats-server sets a stream's whole size aside when it is made. */
export interface StreamSizes {
  readonly streamBytesMax: number;
  readonly receiptsBytesMax: number;
  readonly uploadsBytesMax: number;
}

const NAMES = ['streamBytesMax', 'receiptsBytesMax', 'uploadsBytesMax'] as const;

/** Of the server's limit, for what else it stores: consumers, buckets, what is being compacted. */
const SHARE_MAX = 0.9;
/** A log smaller than this would be full within minutes. */
const BYTES_MIN = 16 * 1_024 ** 2;

/**
 * Sizes that fit into what a server may store. Those that somebody set stay; those that are still the defaults shrink in
 * proportion. The outcome depends on the limit alone, so that a second start finds the same sizes.
 *
 * @param storeBytesMax what all streams of the server may hold together
 * @returns the sizes as they are when they fit, or when what was set leaves no room: then the server's refusal says so
 */
export function fitSizes<Sizes extends StreamSizes>(
  sizes: Sizes,
  defaults: StreamSizes,
  storeBytesMax: number,
): Sizes {
  const room = storeBytesMax * SHARE_MAX;
  const sum = (names: readonly (typeof NAMES)[number][]) =>
    names.reduce((bytes, name) => bytes + sizes[name], 0);
  if (sum(NAMES) <= room) return sizes;
  const adaptable = NAMES.filter((name) => sizes[name] === defaults[name]);
  const left = room - (sum(NAMES) - sum(adaptable));
  const fitted = adaptable.map((name) => [name, Math.floor((sizes[name] / sum(adaptable)) * left)] as const);
  if (fitted.length === 0 || fitted.some(([, bytes]) => bytes < BYTES_MIN)) return sizes;
  return { ...sizes, ...Object.fromEntries(fitted) };
}
