/** Bounds of uploads. */
export interface UploadLimits {
  /** Bytes of one file, at most. */
  readonly bytesMax: number;
  /** Uploads at a time; more are answered `overloaded`. */
  readonly parallelMax: number;
  /** An upload that sends no byte for this long is ended, in milliseconds. Default {@link STALL_MS_MAX}. */
  readonly stallMsMax?: number;
  /** How long a whole upload may take, in milliseconds. Default {@link UPLOAD_MS_MAX}. */
  readonly uploadMsMax?: number;
}

export const STALL_MS_MAX = 15_000;
export const UPLOAD_MS_MAX = 120_000;
