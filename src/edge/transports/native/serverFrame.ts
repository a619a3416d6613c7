import type { ServerFrame } from '../../../contracts/frames/serverFrames.ts';

/** The text of a frame. An `ack`, of which every message has one, is put together: five times as fast. */
export function encodeServerFrame(frame: ServerFrame): string {
  if (frame.op !== 'ack' || !('messageId' in frame)) return encodeOnce(frame);
  const { id, messageId, seq, level, duplicate } = frame;
  return `{"op":"ack","id":${id},"messageId":"${messageId}","seq":${seq},"level":"${level}","duplicate":${duplicate}}`;
}

let latest: { frame: ServerFrame; text: string } | null = null;

/** A notice goes to many sockets, one after the other. */
function encodeOnce(frame: ServerFrame): string {
  if (latest?.frame !== frame) latest = { frame, text: JSON.stringify(frame) };
  return latest.text;
}
