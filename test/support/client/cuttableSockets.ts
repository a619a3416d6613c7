import WebSocket from 'ws';

/** Sockets of the package `ws` that the test can cut and look into. */
export function cuttableSockets() {
  const sockets: Cuttable[] = [];
  class Cuttable extends WebSocket {
    /** What the client is not told: true for a frame that is lost. */
    loses: (text: string) => boolean = () => false;

    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }

    override emit(event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'message' && this.loses(String(args[0]))) return true;
      return super.emit(event, ...args);
    }
  }
  return { WebSocket: Cuttable, sockets, cut: () => sockets.at(-1)?.terminate() };
}
