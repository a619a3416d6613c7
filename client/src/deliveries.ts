import type { Delivery } from './outbox.ts';
import type { AckFrame } from './protocol.ts';
import type { OutgoingMessage } from './sentMessage.ts';

/** A message as the outbox sends it. */
export function messageDelivery(message: OutgoingMessage): Delivery {
  const { conversationId, clientMessageId, content, replyTo, attachments, level } = message;
  return {
    what: `The message ${clientMessageId} to ${conversationId}`,
    frame: (id) => ({
      op: 'send',
      id,
      conversationId,
      clientMessageId,
      content,
      ...(replyTo !== null && { replyTo }),
      ...(attachments.length > 0 && { attachments: [...attachments] }),
      ...(level === 'durable' && { level }),
    }),
    onAck: (ack) => message.acknowledge(ack),
    onFail: (error) => message.fail(error),
  };
}

/** A read receipt as the outbox sends it. Repeating one changes nothing, so it needs no id of its own. */
export function readDelivery(
  conversationId: string,
  seq: number,
): { readonly delivery: Delivery; readonly acked: Promise<AckFrame> } {
  let settle: { resolve(ack: AckFrame): void; reject(error: Error): void } | null = null;
  const acked = new Promise<AckFrame>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Receipts are often sent without waiting: a failure that nobody handles is not an unhandled rejection.
  acked.catch(() => {});
  const delivery: Delivery = {
    what: `The receipt for ${conversationId} up to ${seq}`,
    frame: (id) => ({ op: 'read', id, conversationId, seq }),
    onAck: (ack) => settle?.resolve(ack),
    onFail: (error) => settle?.reject(error),
  };
  return { delivery, acked };
}
