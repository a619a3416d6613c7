/** A flag `v` that Node 20 knows and the target of the compiler does not. */
const RGI_EMOJI = String.raw`^\p{RGI_Emoji}$`;
/** One whole emoji, as Unicode recommends it for interchange: also a flag, a keycap, a family, one with a skin tone. */
const ONE_EMOJI = new RegExp(RGI_EMOJI, 'v');
/** The name of an emoji that only the clients know. */
const NAME = /^:[A-Za-z0-9_+-]{1,30}:$/;
const VARIATION_SELECTORS = /[\uFE0E\uFE0F]/g;
/** What is shown as text unless a variation selector, or a skin tone, follows. */
const TEXT_BY_DEFAULT = /((?!\p{Emoji_Presentation})\p{Emoji})(?!\p{Emoji_Modifier})/gu;

/**
 * One spelling for each reaction, so that ❤ and ❤️ are one: NFC, and for an emoji exactly the variation selectors that Unicode
 * recommends. What is no emoji keeps its own spelling. Gives the same for what it gave.
 */
export function normaliseReaction(text: string): string {
  const composed = text.normalize('NFC');
  const emoji = composed.replaceAll(VARIATION_SELECTORS, '').replaceAll(TEXT_BY_DEFAULT, '$1\uFE0F');
  return ONE_EMOJI.test(emoji) ? emoji : composed;
}

/** Whether a reaction is exactly one emoji, or a name such as `:shipit:`. */
export function isReaction(text: string): boolean {
  return NAME.test(text) || ONE_EMOJI.test(text);
}
