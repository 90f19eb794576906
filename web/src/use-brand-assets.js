import { useCallback } from 'react';

import { keepFresh } from './keep-fresh.js';
import { useShared } from './use-shared.js';

/**
 * @typedef {import('./wire.js').Asset} BrandAsset  url: signed; good for an hour at least
 *
 * @typedef {object} BrandAssets
 * @property {BrandAsset[]} assets  newest first
 * @property {boolean} loading
 * @property {Error | null} error
 * @property {string | null} nextCursor  there are older ones
 */

/** @type {BrandAssets} */
const NOTHING = Object.freeze({ assets: [], loading: true, error: null, nextCursor: null });
const PAGE = 100;

/**
 * A brand's pictures and films: those there are, and each new one as it is saved.
 *
 * @param {string | null | undefined} brandId
 */
export function useBrandAssets(brandId) {
  const { state, actions } = useShared(brandId ? `assets ${brandId}` : null, NOTHING, (connections, store) =>
    follow(connections, /** @type {string} */ (brandId), store),
  );
  /** Makes one the chosen of its type. */
  const select = useCallback((/** @type {string} */ id) => actions()?.select(id) ?? Promise.resolve(), [actions]);
  const loadMore = useCallback(() => actions()?.loadMore() ?? Promise.resolve(), [actions]);
  const { assets, error } = state;
  const loading = Boolean(brandId) && state.loading;
  return { assets, loading, error, hasMore: state.nextCursor !== null, select, loadMore };
}

/**
 * @param {import('./connections.js').Connections} connections
 * @param {string} brandId
 * @param {{ get: () => BrandAssets, set: (state: BrandAssets) => void }} store
 */
function follow(connections, brandId, { get, set }) {
  const { value: socket, release } = connections.socket('/dashboard');
  let stopped = false;
  let watched = false;

  /** @param {Partial<BrandAssets>} change */
  const change = (change) => {
    if (!stopped) set({ ...get(), ...change });
  };

  /** @param {string | null} cursor */
  async function load(cursor) {
    const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : '';
    try {
      const page = await connections.api(`/brands/${brandId}/assets?limit=${PAGE}${from}`);
      const { assets, nextCursor } = get();
      const further = cursor || !assets.length ? page.nextCursor : nextCursor;
      change({ assets: merged(assets, page.assets), nextCursor: further ?? null, loading: false, error: null });
    } catch (error) {
      change({ loading: false, error: /** @type {Error} */ (error) });
    }
  }

  /** The addresses of pictures end after a while. */
  async function renew() {
    const known = get().assets.length;
    let cursor = '';
    for (let seen = 0; seen < known; seen += PAGE) {
      const page = await connections.api(`/brands/${brandId}/assets?limit=${PAGE}${cursor}`).catch(() => null);
      if (!page) return;
      change({ assets: merged(get().assets, page.assets) });
      if (!page.nextCursor) return;
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
    }
  }

  // The room first, then the list: what is saved between the two comes twice rather than never.
  function begin() {
    watched = false;
    socket.emit('brand:watch', { brandId }, (/** @type {any} */ answer) => {
      watched = !answer.error;
      if (watched) load(null);
      else change({ loading: false, error: new Error(answer.error) });
    });
  }
  function onConnect() {
    if (!(socket.recovered && watched)) begin();
  }
  /** @param {any} data */
  function onNew({ brandId: brand, asset, timestamp }) {
    if (brand !== brandId) return;
    const createdAt = new Date(timestamp).toISOString();
    change({ assets: merged(get().assets, [{ thumbnailUrl: null, isSelected: false, createdAt, ...asset }]) });
  }
  /** @param {any} data */
  function onUpdated({ brandId: brand, field, value }) {
    const [what, type] = field.split(':');
    if (brand === brandId && what === 'selected') change({ assets: chosen(get().assets, type, value) });
  }

  socket.on('connect', onConnect);
  socket.on('asset:new', onNew);
  socket.on('brand:updated', onUpdated);
  const stopRenewing = keepFresh(renew);
  if (socket.connected) begin();

  const actions = {
    loadMore: async () => {
      const { nextCursor } = get();
      if (nextCursor) await load(nextCursor);
    },
    /** @param {string} id */
    select: async (id) => {
      const { type } = await connections.api(`/assets/${id}/select`, { method: 'POST' });
      change({ assets: chosen(get().assets, type, id) });
    },
  };
  const stop = () => {
    stopped = true;
    stopRenewing();
    socket.off('connect', onConnect);
    socket.off('asset:new', onNew);
    socket.off('brand:updated', onUpdated);
    if (socket.connected) socket.emit('brand:unwatch', { brandId });
    release();
  };
  return { actions, stop };
}

/**
 * @param {BrandAsset[]} known
 * @param {BrandAsset[]} more  newer knowledge
 */
function merged(known, more) {
  const byId = new Map([...known, ...more].map((asset) => [asset.id, asset]));
  return [...byId.values()].sort((one, other) => other.createdAt.localeCompare(one.createdAt));
}

/**
 * @param {BrandAsset[]} assets
 * @param {string} type
 * @param {string} id
 */
function chosen(assets, type, id) {
  return assets.map((asset) => (asset.type === type ? { ...asset, isSelected: asset.id === id } : asset));
}
