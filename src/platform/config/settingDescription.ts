import { z } from 'zod';
import type { SettingKind } from './settingKinds.ts';

/** What is known about a setting besides its schema. `.env.example` and the README's table are made from it. */
export interface SettingDescription {
  /** The environment variable. */
  readonly variable: string;
  readonly description: string;
  /** As it would be written; `null` when the setting may be absent. */
  readonly default: string | null;
  readonly unit: string | null;
  readonly allowed: string;
  readonly example: string;
  /** True when the value may hold a password: it is never repeated in a message. */
  readonly secret: boolean;
}

/** zod's `.meta`, but typed: where each setting's schema has its description. */
export const descriptions = z.registry<SettingDescription>();

interface About {
  readonly description: string;
  readonly example: string;
  readonly unit?: string;
  /** Whether the value may hold a password. Default, for a setting that may be absent: true. */
  readonly secret?: boolean;
}

/** A setting with a default, written as an operator would write it. */
export function setting<T>(variable: string, kind: SettingKind<T>, defaultText: string, about: About) {
  const description = describe(variable, kind.allowed, defaultText, about);
  return kind.schema.prefault(defaultText).register(descriptions, description);
}

/** A setting that may be absent: URLs of other systems, which may hold passwords. */
export function optionalSetting<T>(variable: string, kind: SettingKind<T>, about: About) {
  const description = { ...describe(variable, kind.allowed, null, about), secret: about.secret ?? true };
  return kind.schema.optional().register(descriptions, description);
}

function describe(variable: string, allowed: string, defaultText: string | null, about: About) {
  const { description, example, unit = null } = about;
  return { variable, description, default: defaultText, unit, allowed, example, secret: false };
}
