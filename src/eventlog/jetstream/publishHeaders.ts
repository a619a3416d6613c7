import { MsgHdrsImpl } from 'nats';

/**
 * The headers of a published event. The client's own class checks and normalises each name and value and encodes them
 * in several steps; ours are two fixed names with values that we made (ids and numbers: ASCII without line breaks).
 * One object serves all messages, because the client encodes the headers within its `publish` call.
 */
export class PublishHeaders extends MsgHdrsImpl {
  #text = '';

  /**
   * Sets what the next {@link encode} gives.
   *
   * @param more further headers, each line with its end
   */
  with(key: string, expectedSeq: number | undefined, more = ''): this {
    const expected =
      expectedSeq === undefined ? '' : `Nats-Expected-Last-Subject-Sequence: ${expectedSeq}\r\n`;
    this.#text = `NATS/1.0\r\nNats-Msg-Id: ${key}\r\n${expected}${more}\r\n`;
    return this;
  }

  override encode(): Uint8Array {
    return Buffer.from(this.#text, 'latin1');
  }
}
