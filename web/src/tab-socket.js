/**
 * A namespace as one tab sees it, over a connection that may belong to another tab. It speaks as a Socket.IO client does,
 * as far as the hooks and their users need it.
 */
export class TabSocket {
  /**
   * @param {(message: import('./tabs.js').Request) => void} send  to the tab that holds the connection
   */
  constructor(send) {
    this.send = send;
    this.connected = false;
    this.recovered = false;
    this.active = true;
    /** @type {Map<string, Set<(...args: any[]) => void>>} */
    this.handlers = new Map();
    /** @type {Map<number, (...args: any[]) => void>} */
    this.asked = new Map();
    this.asks = 0;
    /** @type {string | null} the tab that holds the connection */
    this.holder = null;
    send({ kind: 'open' });
  }

  /** @param {string} event @param {(...args: any[]) => void} handler */
  on(event, handler) {
    this.handlers.set(event, (this.handlers.get(event) ?? new Set()).add(handler));
    return this;
  }

  /** @param {string} event @param {(...args: any[]) => void} handler */
  off(event, handler) {
    this.handlers.get(event)?.delete(handler);
    return this;
  }

  /** @param {string} event */
  listeners(event) {
    return [...(this.handlers.get(event) ?? [])];
  }

  /** @param {string} event @param {any[]} args  the last may be a function, for the server's answer */
  emit(event, ...args) {
    const last = args.at(-1);
    const ask = typeof last === 'function' ? (this.asks += 1) : undefined;
    if (ask) this.asked.set(ask, args.pop());
    this.send({ kind: 'emit', event, args, ask });
    return this;
  }

  /** @param {string} event @param {any[]} args @returns {Promise<any>} */
  emitWithAck(event, ...args) {
    return new Promise((done) => this.emit(event, ...args, done));
  }

  /** @param {number} ms  after which an answer is not waited for any more */
  timeout(ms) {
    return {
      /** @param {string} event @param {any[]} args @returns {Promise<any>} */
      emitWithAck: (event, ...args) =>
        new Promise((done, fail) => {
          const timer = setTimeout(() => fail(new Error('The server did not answer.')), ms);
          this.emit(event, ...args, (/** @type {any} */ answer) => {
            clearTimeout(timer);
            done(answer);
          });
        }),
    };
  }

  /** Begins anew, after a refusal or too many attempts. */
  connect() {
    this.active = true;
    this.send({ kind: 'open' });
    this.send({ kind: 'connect' });
    return this;
  }

  /** Takes no more part in the connection. It ends when no tab does. */
  disconnect() {
    if (!this.active) return this;
    this.active = false;
    this.send({ kind: 'close' });
    this.lost('io client disconnect');
    return this;
  }

  /** @param {import('./tabs.js').Told} message  from the tab that holds the connection */
  take(message) {
    if (!this.active) return;
    if (message.kind === 'event') this.tell(message.event, ...message.args);
    else if (message.kind === 'answer') this.answered(message);
    else if (message.kind === 'state') this.become(message);
  }

  /** @param {Extract<import('./tabs.js').Told, { kind: 'answer' }>} message */
  answered({ ask, args }) {
    const done = this.asked.get(ask);
    this.asked.delete(ask);
    done?.(...args);
  }

  /** @param {Extract<import('./tabs.js').Told, { kind: 'state' }>} state */
  become({ holder, connected, recovered, reason, error }) {
    const same = holder === this.holder;
    if (!connected || !same) this.lost(reason ?? 'transport close');
    this.holder = holder;
    if (connected && !this.connected) {
      this.connected = true;
      this.recovered = recovered && same; // what another tab's connection was told, this one was not
      this.tell('connect');
    }
    if (error) this.tell('connect_error', new Error(error));
  }

  /** The connection is lost, or the tab that held it is gone. @param {string} reason */
  lost(reason) {
    if (!this.connected) return;
    this.connected = this.recovered = false;
    this.asked.clear();
    this.tell('disconnect', reason);
  }

  /** @param {string} event @param {any[]} args */
  tell(event, ...args) {
    for (const handler of this.listeners(event)) handler(...args);
  }
}
