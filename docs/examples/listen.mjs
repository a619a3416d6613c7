// Follows a conversation over the native WebSocket protocol, and checks that nothing is missing.
// Usage: node docs/examples/listen.mjs ws://localhost:3002 <userId> <conversationId> [seconds]
import WebSocket from 'ws';

const [, , edge = 'ws://localhost:3002', userId = 'bob', conversationId = '', seconds = '0'] = process.argv;
const socket = new WebSocket(`${edge}/ws?userId=${encodeURIComponent(userId)}`, 'chat.v1');
let seen = 0;

socket.on('open', () => socket.send(JSON.stringify({ op: 'join', id: 1, conversationId, after: seen })));
socket.on('message', (data) => {
  const frame = JSON.parse(data.toString());
  if (frame.op !== 'event') return console.log(`${userId} <`, JSON.stringify(frame));
  if (frame.prev !== seen) console.log(`${userId} <  a hole: ${seen} is followed by one after ${frame.prev}`);
  seen = frame.seq;
  const { type, userId: author, content = '' } = frame.event;
  console.log(`${userId} <  #${frame.seq} ${type} by ${author}: ${content}`);
});
socket.on('error', (error) => {
  console.error(`${edge} cannot be reached: ${error.message}. Is "npm start" running?`);
  process.exitCode = 1;
});
if (Number(seconds) > 0) setTimeout(() => socket.close(), Number(seconds) * 1_000);
