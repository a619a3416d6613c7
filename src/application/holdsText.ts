/** Whether bytes of UTF-8 hold this text: a look before they are decoded, which costs far more. */
export function holdsText({ buffer, byteOffset, byteLength }: Uint8Array, text: string): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes(text, 0, 'utf8');
}
