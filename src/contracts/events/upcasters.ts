/** Raises a stored event from one version to the next. What it is given has passed as JSON, nothing more. */
export interface UpcastingStep {
  readonly type: string;
  /** The version that it takes; it gives the next one. */
  readonly from: number;
  readonly upcast: (stored: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/**
 * How stored events of older versions are read: step by step up to the newest, so that the rest of the code knows one
 * shape of each. Stored events are never rewritten.
 */
export class Upcasters {
  readonly #newest: ReadonlyMap<string, number>;
  readonly #steps = new Map<string, UpcastingStep>();

  /**
   * @param newest the version of each type that the code reads and writes
   * @throws Error when a step is missing, is there twice, or leads nowhere: a mistake of this code
   */
  constructor(newest: Readonly<Record<string, number>>, steps: readonly UpcastingStep[]) {
    this.#newest = new Map(Object.entries(newest));
    for (const step of steps) {
      const key = keyOf(step.type, step.from);
      if (this.#steps.has(key)) throw new Error(`There are two upcasters for ${key}`);
      if (step.from < 1 || step.from >= (this.#newest.get(step.type) ?? 0)) {
        throw new Error(`The upcaster for ${key} leads to no version that is read`);
      }
      this.#steps.set(key, step);
    }
    for (const [type, version] of this.#newest) {
      for (let from = 1; from < version; from++) {
        if (!this.#steps.has(keyOf(type, from)))
          throw new Error(`There is no upcaster for ${keyOf(type, from)}`);
      }
    }
  }

  /** Whether events of this type and version can be read. */
  knows(type: string, version: number): boolean {
    return version >= 1 && version <= (this.#newest.get(type) ?? 0);
  }

  /** The event in its newest version. @throws whatever an upcaster throws */
  raise(stored: Readonly<Record<string, unknown>>, type: string, version: number): Record<string, unknown> {
    let raised: Record<string, unknown> = stored;
    for (let from = version; from < (this.#newest.get(type) ?? 0); from++) {
      const step = this.#steps.get(keyOf(type, from));
      if (step === undefined) throw new Error(`There is no upcaster for ${keyOf(type, from)}`);
      raised = { ...step.upcast(raised), type, v: from + 1 };
    }
    return raised;
  }
}

function keyOf(type: string, version: number): string {
  return `${type} version ${version}`;
}
