import { get, type IncomingMessage } from 'node:http';

export interface EventStream {
  readonly response: IncomingMessage;
  /** What has come, by field; a comment is left out. */
  readonly messages: Record<string, string>[];
}

/** What an `EventSource` would send as `Last-Event-ID`: the last id that came with any frame. */
export function lastEventId({ messages }: EventStream): string | undefined {
  return messages.findLast(({ id }) => id !== undefined)?.id;
}

/** Reads an event stream as the specification says (WHATWG, 9.2.6), as far as it goes here. */
export function openEventStream(url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { headers }, (response) => {
      const messages: Record<string, string>[] = [];
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => {
        const parts = `${text}${chunk}`.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) {
          const fields = part.split('\n').filter((line) => !line.startsWith(':'));
          if (fields.length > 0)
            messages.push(Object.fromEntries(fields.map((line) => line.split(/:(.*)/s))));
        }
      });
      response.on('error', () => {});
      resolve({ response, messages });
    });
    sent.on('error', reject);
  });
}
