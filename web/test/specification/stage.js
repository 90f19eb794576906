/** Two processes of one server, somebody, and a wire that leads to either. */

import { io } from 'socket.io-client';

import { Bmn } from '../server.js';
import { startWire } from '../wire.js';

export async function openStage(env = {}) {
  const one = await Bmn.start({ speed: 1, env });
  const two = await one.beside();
  const wire = await startWire(one.url);
  const stage = { one, two, wire, user: null, ask, reset, close };

  /** A new user, and the wire as it was. */
  async function reset() {
    stage.user = await one.user();
    wire.target = one.url;
    wire.sent.length = wire.received.length = 0;
  }

  /** What the server answers a socket of the user's own. */
  async function ask(event, data) {
    const socket = io(`${one.url}/wizard`, { auth: { token: stage.user.token }, forceNew: true });
    try {
      return await socket.emitWithAck(event, data);
    } finally {
      socket.disconnect();
    }
  }

  async function close() {
    await wire.close();
    await two.stop();
    await one.stop();
  }
  return stage;
}
